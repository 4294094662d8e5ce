import { Readable } from 'node:stream';
import { type Asked, callMatcher } from '../../src/adapters/docker/socket-proxy/call-filter';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createDockerSwarm } from '../../src/adapters/docker/swarm';
import type { Engine } from '../../src/ports/engine';
import type { Swarm } from '../../src/ports/swarm';
import { startEngineServer, type EngineServer } from '../support/engine-server';

// A name of a container, an image, a service or a path stays what it is: whatever it contains, each call to the engine is one of those that
// docs/engine-calls.md lists, and it names nothing but the method's own subject. Every method of both ports has a row.

const NAMES = [
  '../images/json',
  '..%2fimages%2fjson',
  'web/../../volumes',
  'web?force=true&v=1',
  'web#x',
  'web json',
  'web\r\nHost: evil.example',
  'web;reboot',
  '$(reboot)',
  '`reboot`',
  "'; DROP TABLE x; --",
  '--privileged',
  '%2e%2e/%2e%2e/secrets',
  '\u0000',
  '.',
  '..',
  '//evil.example/x',
  'http://169.254.169.254/latest/meta-data',
];

type Rows<Port> = { [Method in keyof Port]: Port[Method] extends (...args: never) => unknown ? Ask<Port> : null };
type Ask<Port> = (port: Port, name: string) => Promise<unknown>;

const never = new AbortController().signal;
const request = (name: string) =>
  ({ body: { Image: name, HostConfig: {} }, connect: [{ network: name, endpoint: {} }] }) as never;

const ENGINE: Rows<Engine> = {
  address: null,
  version: (engine) => engine.version(),
  containerIds: (engine) => engine.containerIds(),
  containers: (engine) => engine.containers(),
  images: (engine) => engine.images(),
  inspectContainer: (engine, name) => engine.inspectContainer(name),
  inspectImage: (engine, name) => engine.inspectImage(name),
  registryDigest: (engine, name) => engine.registryDigest(name),
  pull: (engine, name) => engine.pull(name, () => undefined, name),
  tag: (engine, name) => engine.tag(name, name),
  untag: (engine, name) => engine.untag(name),
  removeImage: (engine, name) => engine.removeImage(name),
  createContainer: (engine, name) => engine.createContainer(name, request(name)),
  rename: (engine, name) => engine.rename(name, name),
  updateContainer: (engine, name) => engine.updateContainer(name, { RestartPolicy: { Name: name } }),
  start: (engine, name) => engine.start(name),
  stop: (engine, name) => engine.stop(name, 1),
  remove: (engine, name) => engine.remove(name, { volumes: true }),
  restart: (engine, name) => engine.restart(name, 1),
  wait: (engine, name) => engine.wait(name),
  events: (engine) => engine.events(['start'], never),
  logs: (engine, name) => engine.logs(name, 1, name),
  exec: (engine, name) => engine.exec(name, [name]),
  execOutput: (engine, name) => engine.execOutput(name, [name]),
  execInput: (engine, name) => engine.execInput(name, [name], Readable.from([])),
  changes: (engine, name) => engine.changes(name),
  stat: (engine, name) => engine.stat(name, name),
  archive: (engine, name) => engine.archive(name, name),
  extract: (engine, name) => engine.extract(name, name, Readable.from([])),
};

const service = (name: string) => ({ ID: name, Version: { Index: 1 }, Spec: { TaskTemplate: {} } }) as never;
const SWARM: Rows<Swarm> = {
  role: (swarm) => swarm.role(),
  services: (swarm) => swarm.services(),
  service: (swarm, name) => swarm.service(name),
  tasks: (swarm, name) => swarm.tasks(name),
  nodes: (swarm) => swarm.nodes(),
  rollOut: (swarm, name) => swarm.rollOut(service(name), { TaskTemplate: { ContainerSpec: { Image: name } } } as never),
  update: (swarm, name) => swarm.update(service(name), { TaskTemplate: { ContainerSpec: { Image: name } } } as never),
  rollBack: (swarm, name) => swarm.rollBack(service(name)),
};

let server: EngineServer;
beforeEach(async () => (server = await startEngineServer()));
afterEach(() => server.close());

const settings = () => ({ dockerHost: server.address, dockerConfigDir: null });
const match = callMatcher(ENGINE_CALLS);
const passes = (asked: Asked): boolean => match(asked) !== null;

/** Neither a listed call, nor one that an engine would read in another way. */
function strayed(line: string): boolean {
  const [method = '', url = '', ...more] = line.split(' ');
  if (url === '/_ping') return false;
  const { pathname } = new URL(url, 'http://engine');
  return more.length > 0 || decodeURIComponent(pathname) !== url.split('?')[0] || !passes({ method, url });
}

const rowsOf = <Port>(rows: Rows<Port>): [string, Ask<Port>][] =>
  Object.entries(rows).filter((row): row is [string, Ask<Port>] => row[1] !== null);

async function ask<Port>(port: Port, act: Ask<Port>): Promise<string[]> {
  for (const name of NAMES)
    await act(port, name).then(
      () => undefined,
      () => undefined,
    );
  return server.requests;
}

test.each(rowsOf(ENGINE))('Engine.%s asks nothing else', async (_method, act) => {
  expect((await ask(createDockerEngine(settings()), act)).filter(strayed)).toEqual([]);
});

test.each(rowsOf(SWARM))('Swarm.%s asks nothing else', async (_method, act) => {
  expect((await ask(createDockerSwarm(settings()), act)).filter(strayed)).toEqual([]);
});

test('every method of both ports is asked', () => {
  expect(Object.keys(createDockerEngine(settings())).sort()).toEqual(Object.keys(ENGINE).sort());
  expect(Object.keys(createDockerSwarm(settings())).sort()).toEqual(Object.keys(SWARM).sort());
});
