import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest, type IncomingHttpHeaders } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../lab/free-port';
import { NGINX } from '../lab/debian-program';
import { eventually } from './eventually';
import { certificateWith } from './make-certificate';

export const GIT_DOMAIN = 'git.lab.test';
export const OPERATOR_DOMAIN = 'pilot.lab.test';

/** The start script asks for `nginx` by name. */
const PATH = `${dirname(NGINX.path)}:${process.env['PATH']}`;

export interface ShippedNginx {
  /** On 127.0.0.1. */
  ports: { http: number; https: number };
  /** Sends a request as it is; `from` is the address that the client has. */
  ask(path: string, options?: Asking): Promise<Answered>;
  /** Everything that it has logged, errors included. */
  logs(): string;
  close(): Promise<void>;
}

export interface Asking {
  name?: string;
  method?: string;
  headers?: Record<string, string>;
  from?: string;
  plain?: boolean;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * A real nginx with the shipped start script and templates. Only what a container gives is replaced: folders, ports and the
 * addresses of Gitea and diun-pilot; and the limit of requests, which a walk over every address would meet.
 */
export async function startShippedNginx(upstream: { gitea: number; pilot: number }): Promise<ShippedNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'shipped-nginx-'));
  const ports = { http: await freePort(), https: await freePort() };
  const started = spawn('sh', prepared(folder, ports, upstream), {
    env: { ...process.env, PATH, DOMAIN: GIT_DOMAIN, OPERATOR_DOMAIN, MAX_BODY: '2g' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  started.stderr.setEncoding('utf8').on('data', (part: string) => said.push(part));
  const nginx: ShippedNginx = {
    ports,
    ask: (path, options) => ask(ports, path, options),
    logs: () => ['access.log', 'error.log'].map((file) => readFileSync(join(folder, file), 'utf8')).join('\n'),
    close: async () => {
      await ended(started);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await eventually('nginx answers', () => answers(nginx, started, said));
  return nginx;
}

async function answers(nginx: ShippedNginx, { exitCode }: ChildProcess, said: string[]): Promise<boolean> {
  if (exitCode !== null) throw new Error(`nginx ended with ${exitCode}: ${said.join('')}`);
  return (await nginx.ask('/')).status > 0;
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  const exit = new Promise((resolve) => process.once('exit', resolve));
  process.kill('SIGTERM');
  await exit;
}

/** The arguments of `sh`: the start script with what it is to start. */
function prepared(folder: string, ports: ShippedNginx['ports'], upstream: { gitea: number; pilot: number }): string[] {
  for (const part of ['conf.d', 'acme', 'temp']) mkdirSync(join(folder, part));
  certificates(folder);
  const stack = join(folder, 'stack');
  cpSync(join(__dirname, '../../nginx'), stack, { recursive: true });
  for (const file of readdirSync(stack)) {
    const path = join(stack, file);
    writeFileSync(path, localised(readFileSync(path, 'utf8'), folder, ports, upstream), { mode: 0o755 });
  }
  writeFileSync(join(folder, 'nginx.conf'), mainConfiguration(folder));
  return [join(stack, 'start.sh'), 'nginx', '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
}

function localised(
  text: string,
  folder: string,
  { http, https }: ShippedNginx['ports'],
  { gitea, pilot }: { gitea: number; pilot: number },
): string {
  const places: [string, string][] = [
    ['/etc/nginx/stack', join(folder, 'stack')],
    ['/etc/nginx/conf.d', join(folder, 'conf.d')],
    ['/etc/letsencrypt', join(folder, 'letsencrypt')],
    ['/var/www/acme', join(folder, 'acme')],
    ['/run/nginx-health.sock', join(folder, 'health.sock')],
    ['/var/log/nginx/access.log', join(folder, 'access.log')],
    ['listen 443 ', `listen 127.0.0.1:${https} `],
    ['listen 80', `listen 127.0.0.1:${http}`],
    ['http://gitea:3000', `http://127.0.0.1:${gitea}`],
    ['http://diun-pilot:8080', `http://127.0.0.1:${pilot}`],
    ['rate=5r/s', 'rate=1000r/s'],
  ];
  return places.reduce((result, [shipped, here]) => result.replaceAll(shipped, here), text);
}

function certificates(folder: string): void {
  for (const name of [GIT_DOMAIN, OPERATOR_DOMAIN]) {
    const made = certificateWith(new Date(), { names: [name] });
    const live = join(folder, 'letsencrypt/live', name);
    mkdirSync(live, { recursive: true });
    writeFileSync(join(live, 'fullchain.pem'), made.pem);
    writeFileSync(join(live, 'privkey.pem'), made.key);
  }
}

/** As that of the official image, which logs every request unless a server says otherwise. */
function mainConfiguration(folder: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, 'temp', kind)};`)
    .join('\n');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'error.log')} info;
events { worker_connections 512; }
http {
${temp}
log_format main '$remote_addr "$request" $status "$http_referer"';
access_log ${join(folder, 'access.log')} main;
include ${join(folder, 'conf.d')}/*.conf;
}
`;
}

function ask(
  ports: ShippedNginx['ports'],
  path: string,
  { name = GIT_DOMAIN, method = 'GET', headers = {}, from = '127.0.0.1', plain = false }: Asking = {},
): Promise<Answered> {
  const where = { host: '127.0.0.1', localAddress: from, agent: false, path, method };
  const host = plain ? name : `${name}:${ports.https}`;
  const tls = { servername: name, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const options = { ...where, ...tls, headers: { Host: host, ...headers } };
    const sent = plain ? plainRequest({ ...options, port: ports.http }) : tlsRequest({ ...options, port: ports.https });
    sent.on('error', reject);
    sent.on('response', (response) => {
      text(response)
        .then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        .catch(reject);
    });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    sent.end();
  });
}
