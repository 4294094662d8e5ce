import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import type { Compose, HashQuestion } from '../../ports/compose';

export interface ComposePluginOptions {
  /** A folder of our own, for copies of the files while they are asked about. */
  scratch: string;
  /** Where the plugin may be. */
  places?: readonly string[];
  /** How long one call may take. Default 10 s. */
  timeoutMs?: number;
}

/** Runs the Compose plugin that is installed with us, in its own process, on copies of the files that only we can read. */
export function createComposePlugin({ scratch, places = PLACES, timeoutMs = 10_000 }: ComposePluginOptions): Compose {
  return {
    configHash: async (question) => {
      const plugin = await findPlugin(places);
      return withScratch(scratch, async (write) => {
        const project = await projectOptions(question, write);
        const ask = (override: Override, args: string[]): Promise<string> =>
          runCompose(plugin, [...project, ...override, ...args], timeoutMs);
        const override = await resolvedOverride(question, write, ask);
        return hashIn(await ask(override, ['config', '--hash', question.service]));
      });
    },
  };
}

async function projectOptions(
  { project, folder, composeFiles, envFiles, way }: HashQuestion,
  write: (text: string) => Promise<string>,
): Promise<string[]> {
  const options = ['--project-name', project, '--project-directory', folder];
  for (const text of envFiles) options.push('--env-file', await write(text));
  for (const text of composeFiles) options.push('--file', await write(text));
  return way.allProfiles ? [...options, '--profile', '*'] : options;
}

/** `SERVICE HASH` on a line of its own. */
function hashIn(output: string): string {
  const hash = /^\S+ ([0-9a-f]{64})$/m.exec(output)?.[1];
  if (hash !== undefined) return hash;
  throw new PilotError('compose_failed', '`docker compose config --hash` returned no hash.');
}

/**
 * Runs the plugin directly, without a shell and with an empty environment: settings of diun-pilot must not get into another project.
 * Resolves with standard output. Neither output nor the files' text is ever part of an error.
 */
function runCompose(plugin: string, args: string[], timeoutMs: number): Promise<string> {
  const options = {
    ...{ timeout: timeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: BOUNDS.composeOutput.bytes, cwd: '/' },
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  };
  return new Promise((resolve, reject) => {
    execFile(plugin, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new PilotError('compose_failed', `Docker Compose did not read the files of the project (${whyOf(error)}).`),
        );
    });
  });
}

function whyOf({ killed, code, signal }: { killed?: boolean; code?: unknown; signal?: unknown }): string {
  if (killed) return 'it did not answer in time';
  if (typeof code === 'number') return `exit code ${code}: docker compose config --quiet shows why`;
  return typeof code === 'string' ? code : `it was ended by ${String(signal)}`;
}

/** Where the packages of Docker and of the distributions put it (docs.docker.com, "CLI plugins"), and where it stands alone. */
const PLACES: readonly string[] = [
  '/usr/local/lib/docker/cli-plugins/docker-compose',
  '/usr/local/libexec/docker/cli-plugins/docker-compose',
  '/usr/lib/docker/cli-plugins/docker-compose',
  '/usr/libexec/docker/cli-plugins/docker-compose',
  '/usr/local/bin/docker-compose',
  '/usr/bin/docker-compose',
];

/** Rejects with `compose_failed` where none is. */
async function findPlugin(places: readonly string[]): Promise<string> {
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  throw new PilotError(
    'compose_failed',
    'Docker Compose is not installed next to diun-pilot: use its image, or install the plugin docker-compose.',
  );
}

/** Further options, such as `--file` of a file that overrides what the project's own say. */
type Override = string[];

/** What `docker compose up` resolves before it hashes, and `config --hash` does not: said in a file of its own. */
async function resolvedOverride(
  question: HashQuestion,
  write: (text: string) => Promise<string>,
  ask: (override: Override, args: string[]) => Promise<string>,
): Promise<Override> {
  const { readsEnvFile, joins } = question.way;
  const lines = [
    ...(joins === null ? [] : networkLines(joins)),
    ...(readsEnvFile ? environmentLines(environmentOf(question, await ask([], resolved(question)))) : []),
  ];
  if (lines.length === 0) return [];
  const service = JSON.stringify(question.service);
  return ['--file', await write([`services:`, `  ${service}:`, ...lines.map((line) => `    ${line}`), ''].join('\n'))];
}

/** What Compose hashes for `network_mode: "service:X"` (docs/research/docker-engine.md). */
function networkLines({ service, containerId, implied }: NonNullable<HashQuestion['way']['joins']>): string[] {
  const mode = `network_mode: ${JSON.stringify(`container:${containerId}`)}`;
  const dependency = { [service]: { condition: 'service_started', restart: true, required: true } };
  return implied ? [mode, `depends_on: ${JSON.stringify(dependency)}`] : [mode];
}

function resolved({ service }: HashQuestion): string[] {
  return ['config', '--format', 'json', service];
}

function environmentOf({ service }: HashQuestion, output: string): Record<string, string | null> {
  try {
    const config = JSON.parse(output) as { services: Record<string, { environment?: Record<string, string | null> }> };
    return config.services[service]?.environment ?? {};
  } catch {
    throw new PilotError('compose_failed', '`docker compose config` returned no JSON.');
  }
}

/** Dollars are escaped already, as `config` prints what may be read again. JSON is YAML. */
function environmentLines(environment: Record<string, string | null>): string[] {
  return ['env_file: !reset []', `environment: ${JSON.stringify(environment)}`];
}

const LEFT_BEHIND_MS = 60 * 60 * 1000;

/** Runs `work` with a private folder and removes it afterwards, including one that a crash has left. */
async function withScratch<T>(
  parent: string,
  work: (write: (text: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(path.join(parent, 'ask-'));
  let written = 0;
  try {
    await removeLeftovers(parent, (await stat(folder)).mtimeMs);
    return await work(async (text) => {
      const file = path.join(folder, `${written++}.yml`);
      await writeFile(file, text, { mode: 0o600 });
      return file;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeLeftovers(parent: string, now: number): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = path.join(parent, name);
    const made = await stat(folder).catch(() => null); // another one has ended meanwhile
    if (made !== null && now - made.mtimeMs > LEFT_BEHIND_MS) await rm(folder, { recursive: true, force: true });
  }
}
