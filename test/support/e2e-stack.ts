import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../lab/command';
import type { Inspected } from '../lab/engine/docker-cli';
import { removeLeftovers } from '../lab/engine/leftovers';
import { freePort } from '../lab/free-port';
import { buildPilotImage } from '../lab/images/pilot-image';
import { projectName, viewSocket, type Lab } from '../lab/lab';
import { NO_SCHEDULES } from '../lab/pilot';

const REPOSITORY = join(__dirname, '../..');

/** Under which name the lab's world knows the stack; Pebble's name server leads every name to `edge`. */
export const DOMAIN = 'git.lab.test';
export const OPERATOR_DOMAIN = 'pilot.lab.test';
export const WEBHOOK_TOKEN = 'webhook-token-of-the-lab';
export const API_TOKEN = 'api-token-of-the-lab';
/** The user of diun-pilot's image. */
const DIUN_PILOT_USER = 1000;
/** The stack's own tags in the lab's registry. */
export const TAGS = { nginx: 'stack/nginx:1.26.3', gitea: 'stack/gitea:1.0.0' };

/** The shipped compose file, brought up on the lab's engine: images, ports and the certificate authority by variables. */
export interface Stack {
  readonly project: string;
  /** Where the operator works: the clone with its `.env`. */
  readonly folder: string;
  /** Published on this machine. */
  readonly ports: { http: number; https: number; operator: number };
  /** `docker compose …` in the folder, with another `.env` where one is given; not judged. */
  compose(args: string[], env?: string): Promise<Outcome>;
  /** The same, which must succeed; what it printed. */
  composed(...args: string[]): Promise<string>;
  container(service: string): Promise<Inspected>;
  /** Id by service, of every container of the project. */
  ids(): Promise<Record<string, string>>;
  remove(): Promise<void>;
}

/** A clone on a server, `.env.example` filled in as an operator does, and `also` further compose files; nothing is started. */
export async function openStack(lab: Lab, { also = [] }: { also?: string[] } = {}): Promise<Stack> {
  await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, TAGS.nginx);
  await lab.registry.publishAndPull(lab.images.APP_1, TAGS.gitea);
  const image = await buildPilotImage(lab);
  const ports = { http: await freePort(), https: await freePort(), operator: await freePort() };
  const folder = cloned(lab);
  const project = projectName(lab.id, `stack-${randomBytes(2).toString('hex')}`);
  // Compose reads this file by itself, unless COMPOSE_FILE names others.
  const override = 'docker-compose.override.yml';
  writeFileSync(join(folder, override), JSON.stringify(labChanges(lab), null, 2));
  const files = also.length === 0 ? '' : `COMPOSE_FILE=${['docker-compose.yml', ...also, override].join(':')}\n`;
  const values = { ...(await valuesOf(lab, image, ports)), STACK_DIR: folder };
  writeFileSync(join(folder, '.env'), files + filledIn(values));
  give(folder, DIUN_PILOT_USER);
  const compose = (args: string[], env?: string): Promise<Outcome> => {
    const where = ['--project-name', project, ...(env === undefined ? [] : ['--env-file', env])];
    return lab.docker.attempt(['compose', '--progress', 'plain', ...where, ...args], { cwd: folder });
  };
  return { project, folder, ports, compose, ...looks(lab, project, compose) };
}

/** What of the repository the stack is made of. */
function cloned(lab: Lab): string {
  const folder = lab.scratch('stack');
  const files = readdirSync(REPOSITORY).filter((file) =>
    /^docker-compose\.(?!override).*yml$|^docker-compose\.yml$/.test(file),
  );
  for (const part of [...files, 'diun', 'nginx', '.dockerignore', ...builtFrom()])
    cpSync(join(REPOSITORY, part), join(folder, part), { recursive: true });
  mkdirSync(join(folder, '.git'));
  writeFileSync(join(folder, '.git/config'), '[core]\n');
  return folder;
}

/** What the image of diun-pilot is built from. */
export function builtFrom(): string[] {
  const allowed = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8').matchAll(/^!(.+)$/gm);
  return ['Dockerfile', ...[...allowed].map(([, path = '']) => path)];
}

/** As `chown -R`, which README.md asks for. */
function give(folder: string, user: number): void {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const path of ['', ...entries]) chownSync(join(folder, path), user, user);
}

function looks(
  lab: Lab,
  project: string,
  compose: Stack['compose'],
): Pick<Stack, 'composed' | 'container' | 'ids' | 'remove'> {
  const ids = async (): Promise<Record<string, string>> => {
    const format = '{{.Label "com.docker.compose.service"}}\t{{.ID}}';
    const list = ['ps', '--all', '--no-trunc', '--filter', `label=com.docker.compose.project=${project}`];
    const rows = await lab.docker.lines([...list, '--format', format]);
    return Object.fromEntries(rows.map((row) => row.split('\t') as [string, string]));
  };
  return {
    ids,
    composed: async (...args) => {
      const { code, stdout, stderr } = await compose(args);
      if (code !== 0) throw new Error(`docker compose ${args.join(' ')} ended with code ${code}: ${stderr}`);
      return stdout.trimEnd();
    },
    container: async (service) => {
      const inspected = await lab.docker.inspect('container', (await ids())[service] ?? '');
      if (inspected === null) throw new Error(`${project} has no container of service ${service}`);
      return inspected;
    },
    remove: () => removeLeftovers(lab.docker, { label: null, projectPrefix: project }),
  };
}

async function valuesOf(lab: Lab, pilot: string, ports: Stack['ports']): Promise<Record<string, string>> {
  const socket = viewSocket(lab);
  const here = (port: number): string => `127.0.0.1:${port}`;
  return {
    ...{ POSTGRES_PASSWORD: 'database', GITEA_SECRET_KEY: 'key', PILOT_WEBHOOK_TOKEN: WEBHOOK_TOKEN },
    ...{ DOCKER_GID: String(statSync(socket).gid), DOCKER_SOCKET: socket, DOMAIN, PILOT_API_TOKEN: API_TOKEN },
    ...{ HTTP_PORT: here(ports.http), HTTPS_PORT: here(ports.https), OPERATOR_PORT: here(ports.operator) },
    ...{ OPERATOR_DOMAIN, PILOT_PUBLIC_URL: `https://${DOMAIN}` },
    GITEA_SSH_PORT: here(await freePort()),
    PILOT_RECONCILE_SCHEDULE: NO_SCHEDULES.PILOT_RECONCILE_SCHEDULE,
    ...{ POSTGRES_IMAGE: lab.images.POSTGRES_17, EDGE_IMAGE: lab.images.EDGE, CERTBOT_IMAGE: lab.images.CERTBOT },
    ...{ GITEA_IMAGE: lab.registry.reference(TAGS.gitea), NGINX_IMAGE: lab.registry.reference(TAGS.nginx) },
    ...{ DIUN_PILOT_IMAGE: pilot, CERTBOT_SERVER: 'https://pebble:14000/dir', CERTBOT_CA_BUNDLE: '/pebble/ca.pem' },
    ...(lab.origin === 'public' ? {} : { DIUN_IMAGE: lab.images.NGINX_GOOD_2 }),
  };
}

/** `.env.example` with these values in the place of its own. */
export function filledIn(values: Record<string, string>): string {
  const example = readFileSync(join(REPOSITORY, '.env.example'), 'utf8');
  return Object.entries(values).reduce((text, [name, value]) => {
    const line = new RegExp(`^#?${name}=.*$`, 'm');
    if (!line.test(text)) throw new Error(`.env.example has no line for ${name}`);
    return text.replace(line, () => `${name}=${value}`);
  }, example);
}

/** What no variable is for: the lab's app has names of its own for the database, and Pebble stands for Let's Encrypt. */
function labChanges(lab: Lab): object {
  const database = { APP_DB_HOST: 'postgres', APP_DB_NAME: 'gitea', APP_DB_USER: 'gitea', APP_DB_PASSWORD: 'database' };
  const pebble = {
    image: lab.images.PEBBLE,
    environment: { TARGET: 'edge' },
    depends_on: ['edge'],
    networks: ['front'],
    volumes: ['pebble:/acme'],
  };
  const certbot = {
    depends_on: { pebble: { condition: 'service_healthy' } },
    networks: ['front'],
    volumes: ['pebble:/pebble:ro'],
  };
  // Where Diun is not to be had, its place is kept by a container that waits: from there its recorded request is sent.
  const diun =
    lab.origin === 'public'
      ? {}
      : { diun: { entrypoint: ['sh', '-c', 'exec sleep infinity'], stop_signal: 'SIGKILL' } };
  const gitea = { environment: database, healthcheck: { interval: '1s' }, labels: { 'update.probe.timeout': '60s' } };
  return { services: { gitea, pebble, certbot, ...diun }, volumes: { pebble: {} } };
}
