import { createHmac } from 'node:crypto';
import { taskOnHost } from '../services/task-on-host';
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

/** One backup set: a compose project, a stack, or one container outside of Compose. */
export interface KitSet {
  project: string | null;
  /** Its data is that of Swarm services, which a person restores. */
  stack: boolean;
  name: string;
  /** Its compose or stack files, as a person would name them; null: unknown. */
  composeFiles: string | null;
  members: KitMember[];
}

/** A container or service whose data a set holds. */
export interface KitMember {
  name: string;
  /** In the compose file; null: unknown. */
  service: string | null;
  reference: string;
  /** Its folders; null: it is a database server. */
  paths: string[] | null;
}

const NAMES_A_FILE = /(?:_FILE|_BUNDLE|_CREDENTIALS|CACERT|TLS_CLIENT_CERT)$/;
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];

/** The whole page, as Markdown. */
export function recoveryKit(facts: KitFacts): string {
  return `${[head(facts), needed(facts), environment(facts), start(facts), restore(facts), afterwards(facts)].join('\n\n')}\n`;
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

function setLine({ project, stack, name, composeFiles, members }: KitSet): string {
  const [kind, files] = stack ? ['stack', 'stack file'] : ['project', 'compose files'];
  const where = project === null ? `the container ${name}` : `${kind} ${name}: ${composeFiles ?? `${files} unknown`}`;
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
  const commands = sets.flatMap(({ project, stack, members }) =>
    project === null || stack ? [] : `${composeUp(project)}${servicesOf(members)}`,
  );
  const stacks = sets.filter(({ stack }) => stack);
  const deploys = stacks.map(
    ({ name, composeFiles }) =>
      `docker stack deploy --compose-file ${shellWord(composeFiles ?? 'FILE')} ${shellWord(name)}`,
  );
  const alone = sets
    .filter(({ project, stack }) => project === null && !stack)
    .map(({ name }) => `Start the container ${name} as you did before.`);
  const parts = [
    ...(commands.length === 0 ? [] : [`In the folder of each project. ${ONLY_DATA}`, code(commands)]),
    ...(deploys.length === 0
      ? []
      : [`On a Swarm (\`docker swarm init\`) with the same node labels. ${NOT_ITSELF}`, code(deploys)]),
    ...alone,
  ];
  return `## 2. Start what has data, empty\n\n${parts.join('\n\n') || 'Start your containers.'}`;
}

const ONLY_DATA =
  'Start nothing else yet: diun-pilot would update and back up the empty containers, and `latest` would be that backup.';
const NOT_ITSELF =
  'If diun-pilot is a service of the stack, scale it to 0 until step 4: it would back up the empty services, and that would be the newest set.';

const composeUp = (project: string): string => `docker compose --project-name ${shellWord(project)} up --detach`;

/** Compose starts what they depend on, too. */
function servicesOf(members: readonly KitMember[]): string {
  const services = members.map(({ service }) => service);
  const known = services.filter((service) => service !== null);
  return known.length < services.length ? '' : known.map((service) => ` ${shellWord(service)}`).join('');
}

function restore({ image, storage, sets }: KitFacts): string {
  const read = filesOf(storage).map(([, path]) => `${path}:${path}:ro`);
  const folder =
    storage.folder === null ? [] : [`${storage.folder}:${storage.folder}${storage.kind === 'file' ? ':ro' : ''}`];
  const mount = [...folder, ...read].map((each) => ` --volume ${shellWord(each)}`).join('');
  const run = `docker run --rm --interactive --network host --user 0:0 --env-file recovery.env --volume /var/run/docker.sock:/var/run/docker.sock --volume diun-pilot-recovery:/data${mount} ${shellWord(image)}`;
  const one = ({ name }: KitSet): string => `pilot restore latest --project ${shellWord(name)} --yes`;
  const stacks = sets.filter(({ stack }) => stack);
  const others = sets.filter(({ stack }) => !stack);
  const automatic = `${code([`pilot() { ${run} "$@"; }`, ...others.map(one)])}

\`pilot restore latest --project NAME --dry-run\` shows the plan, reads the whole set and changes nothing.`;
  const parts = [
    ...(others.length > 0 || stacks.length === 0 ? [automatic] : []),
    ...stacks.map((set) => restoreStack(set, storage)),
  ];
  return `## 3. Restore\n\n${parts.join('\n\n')}`;
}

/** What a person types for a stack. Only the newest set itself has the numbers of its objects and the names of its databases. */
function restoreStack({ name, members }: KitSet, storage: KitStorage): string {
  const scale = (to: number): string[] =>
    members.filter(({ paths }) => paths !== null).map((each) => `docker service scale ${shellWord(each.name)}=${to}`);
  return `The data of the services of stack ${name} is restored manually. ${FETCH[storage.kind](name)} Scale the other services that
write to it to 0, too. Replace the words in capitals: NN is the number of the object, USER the superuser of the server.

${code([...scale(0), ...members.flatMap((each) => restoreMember(each, storage)), ...scale(1)])}`;
}

/** Each takes the name of a stack. */
const FETCH: Record<KitStorage['kind'], (name: string) => string> = {
  file: (name) => `Its objects are in the newest folder of \`${name}\` in the folder of the backups.`,
  s3: (name) => `Copy the newest folder of \`${name}\` from the bucket (\`aws s3 cp --recursive\`).`,
  restic: (name) =>
    `Read each object of the newest \`/${name}/SET\` with the variables of step 1: \`restic dump --path /${name}/SET/OBJECT latest /${name}/SET/OBJECT > OBJECT\`.`,
};

/** restic compresses, so that its objects are plain. */
function restoreMember({ name, paths }: KitMember, { kind }: KitStorage): string[] {
  const [gz, z, read] = kind === 'restic' ? ['', '', 'cat'] : ['.gz', 'z', 'gunzip -c'];
  if (paths !== null)
    return paths.map(
      (path) =>
        `docker run --rm -i -v ${shellWord(`VOLUME:${path}`)} alpine tar -x${z}f - -C / < ${shellWord(`NN-${name}-files-PATH.tar${gz}`)}`,
    );
  const server = taskOnHost(name);
  const into = `docker exec -i "${server}"`;
  return [
    `${read} ${shellWord(`NN-${name}-globals.sql${gz}`)} | ${into} psql -U USER -d postgres`,
    `${into} pg_restore -U USER --exit-on-error --clean --if-exists --create -d postgres < ${shellWord(`NN-${name}-database-DATABASE.dump`)}`,
  ];
}

function afterwards({ sets }: KitFacts): string {
  const projects = sets.flatMap(({ project, stack }) => (project === null || stack ? [] : project));
  const others = projects.map((project) => `- Start the other services: \`${composeUp(project)}\`.\n`).join('');
  return `## 4. Afterwards

${others}- Look at your services, then remove what the restore kept: it prints the commands.
- Set the same \`PILOT_APPROVAL_SECRET\` and \`PILOT_BACKUP_URL\` in the new diun-pilot, and run \`diun-pilot check\`.
- Remove \`recovery.env\` and the volume: \`docker volume rm diun-pilot-recovery\`.`;
}

function code(lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
}
