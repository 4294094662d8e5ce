import { createHmac } from 'node:crypto';
import { shellWord } from '../text/shell';

// The page that leads from an empty host back to the data, kept away from the host that it is about. Its commands are run by a
// test exactly as they are printed.

/** What the kit is made of. It holds secrets: nothing of it is logged. Each name is one printable line. */
export interface KitFacts {
  /** As text for people. */
  printedAt: string;
  version: string;
  /** The image of diun-pilot as its container names it. */
  image: string;
  storage: KitStorage;
  /** As in `PILOT_APPROVAL_SECRET`: it authenticates the sets. */
  approvalSecret: string;
  sets: KitSet[];
}

/** Where the backups are. */
export interface KitStorage {
  kind: 'file' | 's3' | 'restic';
  /** As in `PILOT_BACKUP_URL` on the new host. */
  url: string;
  /** The folder of this host that has them; null: they are elsewhere. */
  folder: string | null;
  /** What else the storage needs, by name: the variables of the AWS SDK, those of restic. */
  variables: Readonly<Record<string, string>>;
}

/** One backup set: a compose project, or one container outside of Compose. */
export interface KitSet {
  project: string | null;
  name: string;
  /** Its compose files, as a person would name them; null: unknown. */
  composeFiles: string | null;
  /** Name and reference of the containers whose data it holds. */
  members: { name: string; reference: string }[];
}

const NAMES_A_FILE = /(?:_FILE|_BUNDLE|_CREDENTIALS|CACERT|TLS_CLIENT_CERT)$/;
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

/** The whole page, as Markdown. */
export function recoveryKit(facts: KitFacts): string {
  return `${[head(facts), needed(facts), environment(facts), start(facts), restore(facts), afterwards()].join('\n\n')}\n`;
}

/**
 * Changes when the page is no longer true: another storage, other credentials, another approval secret. Keyed by that secret, so that
 * it reveals nothing about them.
 */
export function kitFingerprint({ storage, approvalSecret }: Pick<KitFacts, 'storage' | 'approvalSecret'>): string {
  return createHmac('sha256', approvalSecret).update(JSON.stringify(storage)).digest('hex');
}

function head({ printedAt, version }: KitFacts): string {
  return `# Recovery kit of diun-pilot

Printed ${printedAt} by diun-pilot ${version}. **This page contains secrets.** Keep it in a safe or a password manager, never
only on the host that it is about. Print it again when a secret or the backup storage changes; \`diun-pilot check\` says so.`;
}

function needed({ image, storage, sets }: KitFacts): string {
  return `## What you need

- A host with Docker Engine and Docker Compose.
- The image of diun-pilot, \`${image}\`.
- ${storage.folder === null ? `The backups: \`${storage.url}\`.` : folderNeeded(storage.folder)}
${filesOf(storage)
  .map(([name, path]) => `- A copy of the file \`${path}\` (${name}), at the same place on the new host.\n`)
  .join('')}- Your compose folders with their \`.env\` files. diun-pilot does not back them up.
${sets.length === 0 ? '- No container has the label `backup.kind`, so there is nothing to restore yet.' : sets.map(setLine).join('\n')}`;
}

/** Files that the storage needs besides its variables. */
function filesOf({ variables }: KitStorage): [name: string, path: string][] {
  return Object.entries(variables).filter(([name, value]) => NAMES_A_FILE.test(name) && value.startsWith('/'));
}

function folderNeeded(folder: string): string {
  return `The backups: a copy of the folder \`${folder}\` of the old host, at the same place on the new one. **They are lost with
  this host unless you copy them to another one regularly.**`;
}

function setLine({ project, name, composeFiles, members }: KitSet): string {
  const where =
    project === null ? `the container ${name}` : `project ${name}: ${composeFiles ?? 'compose files unknown'}`;
  return `  - ${where}; data of ${members.map((member) => `${member.name} (\`${member.reference}\`)`).join(', ')}`;
}

function environment(facts: KitFacts): string {
  const { storage } = facts;
  const note = needsKeys(storage) ? `\n\n${WITHOUT_KEYS}` : '';
  return `## 1. Save the settings

Save this as \`recovery.env\`, then run \`chmod 600 recovery.env\`:

\`\`\`env
${Object.entries(variablesOf(facts))
  .map(([name, value]) => `${name}=${value}`)
  .join('\n')}
\`\`\`${note}`;
}

const WITHOUT_KEYS =
  'The old host took its AWS credentials from a role or a profile, or has temporary ones, so they are not on this page. Create an access key that may list and read the bucket, and fill in the empty lines.';

function variablesOf({ storage, approvalSecret }: KitFacts): Record<string, string> {
  const empty = needsKeys(storage) ? Object.fromEntries(KEYS.map((name) => [name, ''])) : {};
  return { PILOT_BACKUP_URL: storage.url, PILOT_APPROVAL_SECRET: approvalSecret, ...empty, ...storage.variables };
}

/** A bucket, without its keys. */
function needsKeys({ kind, url, variables }: KitStorage): boolean {
  const isBucket = kind === 's3' || url.startsWith('restic:s3:');
  return isBucket && !KEYS.every((name) => (variables[name] ?? '') !== '');
}

function start({ sets }: KitFacts): string {
  const projects = sets.flatMap(({ project }) => project ?? []);
  const commands = projects.map((project) => `docker compose --project-name ${shellWord(project)} up --detach`);
  const alone = sets
    .filter(({ project }) => project === null)
    .map(({ name }) => `Start the container ${name} as you did before.`);
  return `## 2. Start everything, empty

${[...(commands.length === 0 ? [] : ['In the folder of each project:', code(commands)]), ...alone].join('\n\n') || 'Start your containers.'}`;
}

function restore({ image, storage, sets }: KitFacts): string {
  const read = filesOf(storage).map(([, path]) => `${path}:${path}:ro`);
  const folder =
    storage.folder === null ? [] : [`${storage.folder}:${storage.folder}${storage.kind === 'file' ? ':ro' : ''}`];
  const mount = [...folder, ...read].map((each) => ` --volume ${shellWord(each)}`).join('');
  const run = `docker run --rm --interactive --network host --user 0:0 --env-file recovery.env --volume /var/run/docker.sock:/var/run/docker.sock --volume diun-pilot-recovery:/data${mount} ${shellWord(image)}`;
  const one = ({ project }: KitSet): string =>
    `pilot restore latest${project === null ? '' : ` --project ${shellWord(project)}`} --yes`;
  return `## 3. Restore

${code([`pilot() { ${run} "$@"; }`, ...new Set(sets.map(one))])}

\`pilot restore latest --project NAME --dry-run\` shows the plan, reads the whole set and changes nothing.`;
}

function afterwards(): string {
  return `## 4. Afterwards

- Look at your services, then remove what the restore kept: it prints the commands.
- Set the same \`PILOT_APPROVAL_SECRET\` and \`PILOT_BACKUP_URL\` in the new diun-pilot, and run \`diun-pilot check\`.
- Remove \`recovery.env\` and the volume: \`docker volume rm diun-pilot-recovery\`.`;
}

function code(lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
}
