import { listenersIn, ownListeners, portsOf, type Listeners } from '../../../src/probes/tcp-probe';
import type { ProbeTarget } from '../../../src/probes/probe';
import { FakeEngine } from '../../support/fake-engine';
import type { Scripts } from '../../support/fake-engine-types';
import { TestClock } from '../../support/test-clock';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (port: string, state: string, inode: number): string =>
  `   0: 00000000:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0\n`;
const LISTENING = row('0050', '0A', 11) + row('01BB', '0A', 12) + row('1F90', '0A', 21);
/** Recorded in a container of a network of its own project (Engine 26.1): Docker's resolver, and nginx. */
const RESOLVER =
  '   0: 0B00007F:B38F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 6179858 1 0000000069aa3576 100 0 0 10 0\n';
const NGINX =
  '   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 6179942 1 00000000260c84ed 100 0 0 10 0\n';
const GREP = 'grep -h  0A  /proc/net/tcp /proc/net/tcp6';
const CAT = 'cat /proc/net/tcp /proc/net/tcp6';

function target(scripts: Scripts): ProbeTarget {
  const engine = new FakeEngine(new TestClock());
  engine.addImage({ reference: 'nginx:1', scripts });
  const id = engine.runContainer({ name: 'web', image: 'nginx:1' });
  return { engine, container: engine.container(id), addresses: [] };
}

function ports(told: Listeners): number[] | string {
  return 'failure' in told ? told.failure : portsOf(told.listeners);
}

it('tells every port that is listened on in the namespace', async () => {
  expect(ports(await listenersIn(target({ [GREP]: { stdout: LISTENING } })))).toEqual([80, 443, 8080]);
});

it.each<[string, string, number[]]>([
  ['beside a server', RESOLVER + NGINX, [80]],
  ['alone', RESOLVER, []],
])("leaves out the resolver that Docker puts into a container's namespace, %s", async (_, table, own) => {
  expect(ports(await listenersIn(target({ [GREP]: { stdout: table } })))).toEqual(own);
});

it('reads the whole table where there is no grep', async () => {
  const table = HEAD + row('0051', '01', 13) + LISTENING;
  expect(ports(await listenersIn(target({ [CAT]: { stdout: table } })))).toEqual([80, 443, 8080]);
});

it.each<[string, string, number[]]>([
  ['counts those that its own processes hold open', 'socket:[11]\nsocket:[12]\n', [80, 443]],
  ['counts none while a neighbour has all the ports', '', []],
])('of a shared namespace, %s', async (_, held, own) => {
  expect(ports(await ownListeners(target({ [GREP]: { stdout: LISTENING }, 'sh -c ls*': { stdout: held } })))).toEqual(
    own,
  );
});

it('cannot tell which are its own without a shell', async () => {
  expect(ports(await ownListeners(target({ [GREP]: { stdout: LISTENING } })))).toContain('no shell');
});
