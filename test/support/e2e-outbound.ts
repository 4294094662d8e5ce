import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import { startLasting } from '../lab/lasting-process';
import { attempt, run } from '../lab/command';
import { guests, labId, type Lab } from '../lab/lab';
import { addNamespace, inNetwork, removeNamespace, runInNetwork } from '../lab/nodes/network-namespace';
import type { Service } from './e2e-services';
import type { Stage } from './e2e-stage';
import { eventually } from './eventually';

/** Kind of the connection, address and port. */
export type Call = ['mail' | 'database' | 'http', string, number];

const CALLS = '/data/calls.json';
const REACHED = '/tmp/reached.json';

/** The lab's app that first calls what /data/calls.json names, as a mail queue that is worked off at a start. */
export const CALLER = ['python3', '-c'].concat(`
import json, os, pathlib, smtplib, socket, psycopg2
def mail(host, port):
    with smtplib.SMTP(host, port, timeout=3) as smtp:
        smtp.sendmail('shop@shop.test', ['all@customers.test'], 'Subject: your invoice')
def database(host, port):
    psycopg2.connect(host=host, port=port, dbname='app', user='app', password='geheim', application_name='caller', connect_timeout=3).close()
def http(host, port):
    with socket.create_connection((host, port), 3) as server:
        server.recv(1)
def call(kind, host, port):
    try:
        globals()[kind](host, port)
        return 'reached'
    except (OSError, psycopg2.Error, smtplib.SMTPException) as error:
        return str(error).strip()
calls = pathlib.Path('${CALLS}')
if calls.exists():
    asked = json.loads(calls.read_text())
    pathlib.Path('${REACHED}').write_text(json.dumps({' '.join(map(str, each)): call(*each) for each in asked}))
os.execv('/usr/bin/python3', ['python3', '/app/app.py', 'web'])
`);

const MAIL_SERVER = `
import asyncore, smtpd
class Server(smtpd.SMTPServer):
    def handle_accepted(self, connection, address):
        print('connection of', address[0], flush=True)
        super().handle_accepted(connection, address)
    def process_message(self, peer, sender, recipients, data, **options):
        print('mail of', peer[0], 'to', *recipients, flush=True)
Server(('0.0.0.0', 25), None)
asyncore.loop()
`;

const PROXY_SITE = `server {
    listen 80;
    resolver 127.0.0.11 valid=1s;
    set $app http://slow:3000;
    location / {
        proxy_pass $app;
        add_header X-Upstream $upstream_addr;
    }
}
`;
export const PROXY_FILES = { 'proxy/site.conf': PROXY_SITE };

/** A mail server that logs each connection, and a reverse proxy that asks the engine's name server for the app `slow`. */
export function serversOfProduction({ images }: Lab): Record<string, Service> {
  return {
    mail: { image: images.APP_BASE, entrypoint: ['python3', '-W', 'ignore', '-c', MAIL_SERVER], labels: {} },
    proxy: {
      image: images.NGINX_GOOD_1,
      volumes: ['./proxy:/etc/nginx/conf.d:ro'],
      ports: ['127.0.0.1::80'],
      labels: {},
    },
  };
}

/** Everyone who would notice if something left a rehearsal. */
export interface Listeners {
  /** Each of them by address, and those of production by name as well. */
  calls: Call[];
  /** What each has heard until now. */
  heard: () => Promise<Record<'mail' | 'database' | 'host' | 'outside', string[]>>;
}

const OUTSIDE = '198.51.100';
const ANSWERS = `require('net').createServer((c) => { console.log(c.remoteAddress); c.on('error', () => {}); c.end('x') }).listen(80, () => console.log('ready'))`;

export async function openListeners(stage: Stage, project: ComposeProject): Promise<Listeners> {
  const host = await listenOnHost(stage);
  const outside = await listenOutside(stage);
  await psqlAlone(project, 'ALTER SYSTEM SET log_connections = on');
  await psqlAlone(project, 'SELECT pg_reload_conf()');
  const [mail, database] = await Promise.all(['mail', 'db'].map((name) => networkOf(project, name)));
  const own = await addressesOf(project);
  const linesOf = async (service: string): Promise<string[]> =>
    (await project.compose(['logs', '--no-log-prefix', service])).split('\n');
  return {
    calls: [
      ['mail', mail!.address, 25],
      ['mail', 'mail', 25],
      ['database', database!.address, 5432],
      ['http', mail!.gateway, host.port],
      ['http', `${OUTSIDE}.2`, 80],
    ],
    heard: async () => ({
      // Compose begins each line with a sequence for terminals.
      mail: (await linesOf('mail')).flatMap((line) => /(?:mail|connection) of .*/.exec(line)?.[0] ?? []),
      database: (await linesOf('db')).flatMap((line) => calledBy(line, own)),
      host: [...host.heard],
      outside: outside(),
    }),
  };
}

/** A line of the database's log about a connection of the caller, or of anyone who is not of the project. */
function calledBy(line: string, own: readonly string[]): string[] {
  const host = /connection received: host=(\S+)/.exec(line)?.[1];
  if (host !== undefined && host !== '[local]' && !own.includes(host)) return [`connection of ${host}`];
  return line.includes('application_name=caller') ? ['login of the caller'] : [];
}

async function addressesOf(project: ComposeProject): Promise<string[]> {
  const services = (await project.compose(['ps', '--services'])).split('\n').filter(Boolean);
  return Promise.all(services.map(async (service) => (await networkOf(project, service)).address));
}

const psqlAlone = (project: ComposeProject, sql: string): Promise<string> =>
  project.compose(['exec', '-T', 'db', 'psql', '-XAt', '-U', 'app', '-d', 'app', '-c', sql]);

export async function networkOf(
  project: ComposeProject,
  service: string,
): Promise<{ address: string; gateway: string }> {
  const networks = (await project.container(service))['NetworkSettings'].Networks as Record<string, Inspected>;
  const [first] = Object.values(networks);
  return { address: String(first?.['IPAddress']), gateway: String(first?.['Gateway']) };
}

async function listenOnHost(stage: Stage): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((client) => {
    heard.push(String(client.remoteAddress));
    client.on('error', () => undefined);
    client.end('x');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  stage.closing(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, heard };
}

/** A machine of its own behind a bridge of the host: containers come to it as they come to the internet. */
async function listenOutside(stage: Stage): Promise<() => string[]> {
  const { dir } = stage.lab;
  const namespace = `dpout-${labId(dir)}`;
  const clear = async (): Promise<void> => {
    await removeNamespace(namespace);
    await attempt('ip', ['link', 'delete', namespace]);
  };
  await clear();
  await run('ip', ['link', 'add', 'name', namespace, 'type', 'bridge']);
  stage.closing(clear);
  await run('ip', ['address', 'add', `${OUTSIDE}.1/24`, 'dev', namespace]);
  await run('ip', ['link', 'set', namespace, 'up']);
  await addNamespace(namespace, { bridge: namespace, cable: `${namespace}c`, address: `${OUTSIDE}.2/24` });
  await runInNetwork(namespace, 'ip', 'route', 'add', 'default', 'via', `${OUTSIDE}.1`);
  const [file, ...args] = inNetwork(namespace, [process.execPath, '-e', ANSWERS]);
  const logFile = `${stage.lab.scratch('outside')}/log`;
  const server = startLasting(guests(dir), { name: 'outside', file, args, logFile });
  stage.closing(() => server.stop());
  await eventually('the server outside listens', () => server.lines().includes('ready'));
  return () => server.lines().filter((line) => line !== 'ready');
}

/** For the next start of the app, and in every backup of it. */
export async function leaveCalls(project: ComposeProject, service: string, calls: readonly Call[]): Promise<void> {
  const script = `cat > ${CALLS} <<'END'\n${JSON.stringify(calls)}\nEND`;
  await project.exec(service, 'sh', '-c', script);
}

/** What a container has reached at its start, once it has tried all. Rejects before. */
export async function reachedFrom({ docker }: Lab, container: string): Promise<Record<string, string>> {
  return JSON.parse(await docker.run(['exec', container, 'cat', REACHED])) as Record<string, string>;
}
