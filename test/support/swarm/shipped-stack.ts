import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../lab/command';
import { recordedRequest, about } from '../../lab/diun/recorded-requests';
import { freePort } from '../../lab/free-port';
import type { Lab } from '../../lab/lab';
import { buildPilotImage } from '../../lab/images/pilot-image';
import { eventually } from '../eventually';
import type { SwarmStage } from './e2e-swarm';

const REPOSITORY = join(__dirname, '../../..');
const SOCKET = '/var/run/docker.sock';

/** The shipped docker-stack.yml, deployed by the commands of docs/swarm.md. */
export interface ShippedStack {
  /** What the commands printed. */
  printed: string;
  /** `GET` of the API, with the token that the commands printed. */
  get(path: string): Promise<Response>;
  /** Runs a command in the task of a service. */
  inTask(service: string, command: string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Sends Diun's recorded request from Diun's place in the stack, with the address and the header that the file gives Diun. */
  announce(image: string, digest: string): Promise<number>;
}

/** `builder`: where the image of diun-pilot is built. */
export async function deployShippedStack(swarm: SwarmStage, builder: Lab): Promise<ShippedStack> {
  const { lab } = swarm.stage;
  const image = await buildPilotImage(builder);
  await lab.registry.publish(image, 'pilot/diun-pilot:test');
  const web = await swarm.published('NGINX_GOOD_1', 'pilot/web:stable');
  const changes = join(lab.scratch('shipped'), 'lab.json');
  writeFileSync(changes, JSON.stringify(labChanges(swarm, web.reference)));
  const [operator, http] = [await freePort(), await freePort()];
  const env = {
    ...{ DOCKER_HOST: swarm.dockerHost, DIUN_PILOT_IMAGE: lab.registry.reference('pilot/diun-pilot:test') },
    ...{ DIUN_IMAGE: lab.registry.reference('pilot/diun-pilot:test') },
    ...{ OPERATOR_PORT: String(operator), HTTP_PORT: String(http), PATH: process.env['PATH'] },
  };
  const { code, stdout, stderr } = await attempt('sh', ['-euc', commands(swarm, changes)], {
    env,
    cwd: REPOSITORY,
  });
  if (code !== 0) throw new Error(`the commands of docs/swarm.md failed: ${stdout}\n${stderr}`);
  const token = /Password of \S+ (\S+)$/m.exec(stdout)?.[1];
  const inTask: ShippedStack['inTask'] = async (service, command, input = '') => {
    const filter = `label=com.docker.swarm.service.name=${service}`;
    const [task] = await lab.docker.lines(['ps', '--quiet', '--filter', filter]);
    if (task === undefined) throw new Error(`${service} has no running task`);
    return lab.docker.attempt(['exec', '--interactive', task, ...command], { input });
  };
  return {
    printed: stdout,
    get: (path) => fetch(`http://127.0.0.1:${operator}${path}`, { headers: { Authorization: `Bearer ${token}` } }),
    inTask,
    announce: async (reference, digest) => {
      const { body } = about(recordedRequest('update-swarm-service'), { image: reference, digest });
      const { stdout: status, stderr: why } = await inTask('pilot_diun', ['node', '-e', SEND], body);
      if (!/^\d+$/.test(status.trim())) throw new Error(`Diun's request did not arrive: ${status}${why}`);
      return Number(status);
    },
  };
}

const SEND = `
const { DIUN_NOTIF_WEBHOOK_ENDPOINT: url, DIUN_NOTIF_WEBHOOK_METHOD: method, DIUN_NOTIF_WEBHOOK_HEADERS_AUTHORIZATION: authorization } = process.env;
const body = fs.readFileSync(0, 'utf8');
fetch(url, { method, body, headers: { authorization } }).then(({ status }) => console.log(status));`;

/** The first block of commands under "Install", with this engine's socket, and the image that is built already. */
function commands({ dockerHost, stage }: SwarmStage, changes: string): string {
  const install = readFileSync(join(REPOSITORY, 'docs/swarm.md'), 'utf8').split('## Install\n')[1] ?? '';
  const block = /```sh\n([\s\S]*?)```/.exec(install)?.[1] ?? '';
  const replaced: [string, string][] = [
    ['docker build -t diun-pilot .\n', ''],
    [SOCKET, dockerHost.replace('unix://', '')],
    ['-c docker-stack.yml', `-c docker-stack.yml -c ${changes}`],
  ];
  const here = replaced.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the commands of docs/swarm.md have no “${from}”`);
    return text.replace(from, to);
  }, block);
  return `docker() { ${stage.lab.docker.path} "$@"; }\n${here}`;
}

/**
 * What this machine has not: the usual socket, virtual IPs, and an image of Diun, whose place is kept by a container that waits. The
 * example runs another nginx, without its port, since there is no routing mesh.
 */
function labChanges({ dockerHost }: SwarmStage, web: string): object {
  const socket = { type: 'bind', source: dockerHost.replace('unix://', ''), target: SOCKET };
  const here = { volumes: [socket], deploy: { endpoint_mode: 'dnsrr' } };
  return {
    services: {
      'diun-pilot': here,
      diun: {
        ...here,
        entrypoint: ['node', '-e', 'setInterval(() => {}, 1e9)'],
        command: [],
        healthcheck: { disable: true },
      },
      web: { image: web },
    },
  };
}

/** The health check of the image passes. */
export function isHealthy(swarm: SwarmStage, service: string): Promise<boolean> {
  const filters = ['--filter', `label=com.docker.swarm.service.name=${service}`, '--filter', 'health=healthy'];
  const healthy = async (): Promise<boolean> =>
    (await swarm.stage.lab.docker.lines(['ps', '--quiet', ...filters])).length === 1;
  return eventually(`${service} is healthy`, healthy, { timeoutMs: 120_000, everyMs: 200 });
}
