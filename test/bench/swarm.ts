import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openOtherEngine } from '../lab/engine/other-engine';
import { freePort } from '../lab/free-port';
import type { Lab } from '../lab/lab';
import { startPilot, type Pilot } from '../lab/pilot';
import { eventually } from '../support/eventually';
import { steadyLoad } from '../support/steady-load';
import { initSwarm, type RunningSwarm } from '../support/swarm/e2e-swarm';
import { requestAndWait } from './downtime';
import { report } from './report';

const RATE = 200;
const ROUNDS = 3;
const ANSWERS_WITHIN_MS = 2_000;
const NETWORK = 'bench';
/** Swarm does the same in both cases; the rounds of the peer alone differ by a tenth. */
const MOST_OF_PEER = 1.25;

/**
 * Requests lost while a service is updated, against `docker service update` of the same change. Swarm rolls out in both cases:
 * diun-pilot must not add to it. Without IPVS there is no routing mesh here: one service has its port in host mode, the other is
 * reached by the names of its tasks (dnsrr) through an nginx that asks the next task where one does not answer.
 */
export async function run(lab: Lab): Promise<void> {
  const other = await openOtherEngine(lab, 'swarm');
  const closers: (() => Promise<unknown>)[] = [() => other.close()];
  try {
    const swarm = await initSwarm(other.lab, { engine: other.engine, address: '127.0.0.1' }, (close) =>
      closers.push(close),
    );
    const pilot = await startPilot(other.lab);
    closers.push(() => pilot.stop());
    const bench = { lab: other.lab, swarm, pilot };
    await measure(bench, await inHostMode(bench));
    await measure(bench, await behindProxy(bench, (close) => closers.push(close)));
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

interface Bench {
  /** On the engine of the Swarm. */
  lab: Lab;
  swarm: RunningSwarm;
  pilot: Pilot;
}

interface Subject {
  service: string;
  url: string;
  what: string;
  /** No request may be lost; false: as many as the peer loses. */
  isNone: boolean;
}

const WATCHED = ['--label', 'diun.enable=true', '--label', 'update.policy=manual', '--label', 'update.probe=nginx'];

/** One task, whose port only one task can have: the old one ends before the new one starts. */
async function inHostMode({ swarm, lab }: Bench): Promise<Subject> {
  const [service, port] = ['bench-host', await freePort()];
  const first = await release(lab, service, 'swarm-host-first');
  await swarm.create(service, first, [...WATCHED, '--publish', `mode=host,published=${port},target=80`]);
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  return { service, url, what: 'stop-first, one task', isNone: false };
}

const CONFIG = `
resolver 127.0.0.11 valid=1s ipv6=off;
server {
  listen 80;
  set $tasks http://bench-proxied:80;
  location / {
    proxy_pass $tasks;
    proxy_connect_timeout 500ms;
    proxy_next_upstream error timeout;
  }
}
`;

/** Two tasks, each replaced by one that runs already, behind a proxy that is not updated. */
async function behindProxy({ swarm, lab }: Bench, closing: (close: () => Promise<unknown>) => void): Promise<Subject> {
  const [service, port] = ['bench-proxied', await freePort()];
  const { docker } = lab;
  await docker.run(['network', 'create', '--driver', 'overlay', '--attachable', NETWORK]);
  closing(() => docker.attempt(['network', 'rm', NETWORK]));
  const first = await release(lab, service, 'swarm-proxied-first');
  await swarm.create(service, first, [
    ...[...WATCHED, '--replicas', '2', '--update-order', 'start-first', '--stop-grace-period', '5s'],
    ...['--network', NETWORK, '--endpoint-mode', 'dnsrr'],
  ]);
  const folder = lab.scratch('bench-proxy');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'default.conf'), CONFIG);
  const options = [
    '--network',
    NETWORK,
    '--publish',
    `127.0.0.1:${port}:80`,
    '--volume',
    `${folder}:/etc/nginx/conf.d:ro`,
  ];
  const id = (await docker.run(['run', '--detach', '--quiet', ...options, first])).trim();
  closing(() => docker.attempt(['rm', '--force', '--volumes', id]));
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  return { service, url, what: 'start-first behind a proxy, two tasks', isNone: true };
}

/** Another digest of the same page under the tag of the service; the reference. */
async function release(lab: Lab, service: string, mark: string): Promise<string> {
  const name = `bench/${service}:stable`;
  await lab.registry.publish(await lab.variantOf(lab.images.NGINX_GOOD_2, mark), name);
  return lab.registry.reference(name);
}

function answers(url: string): Promise<unknown> {
  return eventually(`${url} answers`, async () => (await fetch(url)).ok, { timeoutMs: 60_000, everyMs: 100 });
}

async function measure({ lab, pilot }: Bench, { service, url, what, isNone }: Subject): Promise<void> {
  const ours: Lost[] = [];
  const peers: Lost[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const reference = await release(lab, service, `swarm-${service}-peer-${round}`);
    peers.push(
      await lostDuring(
        url,
        async () => void (await lab.docker.run(['service', 'update', '--quiet', '--image', reference, service])),
      ),
    );
    await release(lab, service, `swarm-${service}-pilot-${round}`);
    ours.push(
      await lostDuring(url, async () => void (await requestAndWait(pilot, { container: service }, 'succeeded'))),
    );
  }
  const lost = (all: Lost[]): number => all.reduce((total, each) => total + each.lost, 0);
  const against = `docker service update of the same change: ${peers.map(told).join(', ')} lost; ours: ${ours.map(told).join(', ')}`;
  report({
    what: `service at ${RATE} requests/s, ${what}, lost`,
    ...(isNone
      ? { value: lost(ours), unit: 'requests', goal: { sign: '≤', bound: 0 } }
      : { value: lost(ours) / lost(peers), unit: 'of the peer', goal: { sign: '≤', bound: MOST_OF_PEER } }),
    against,
  });
}

interface Lost {
  lost: number;
  sent: number;
}

const told = ({ lost, sent }: Lost): string => `${lost} of ${sent}`;

async function lostDuring(url: string, change: () => Promise<void>): Promise<Lost> {
  const load = steadyLoad(url, RATE, ANSWERS_WITHIN_MS);
  await change();
  const all = await load.stop();
  return { lost: all.filter(({ ok }) => !ok).length, sent: all.length };
}
