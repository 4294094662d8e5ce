import { Readable } from 'node:stream';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createDockerSwarm } from '../../src/adapters/docker/swarm';
import type { Engine } from '../../src/ports/engine';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';

const DIGEST = `sha256:${'a'.repeat(64)}`;
let server: EngineServer;
let engine: Engine;
let limits: (() => void)[];

/** No limit passes by itself: one that a busy machine misses would be another fault than the one of the test. */
beforeEach(async () => {
  limits = [];
  const timer = setTimeout;
  jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const limit = new AbortController();
    limits.push(() => limit.abort(new DOMException('The operation timed out.', 'TimeoutError')));
    return limit.signal;
  });
  jest.spyOn(global, 'setTimeout').mockImplementation((act: () => void, ms) => {
    limits.push(act);
    return timer(act, ms);
  });
  server = await startEngineServer();
  server.answers.set('/containers/x/json', (_, response) =>
    json(response, { Id: 'x', State: {}, Config: { StopTimeout: 1 } }),
  );
  engine = createDockerEngine({ dockerHost: server.address, dockerConfigDir: null });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

/** Every limit that runs when the request has arrived is over; what comes later, such as a ping, has its own. */
const runOut = (): void => limits.splice(0).forEach((end) => end());
const hangs = (path: string): unknown => server.answers.set(path, runOut);

it.each<[string, string, (of: Engine) => Promise<unknown>]>([
  ['start', '/containers/x/start', (of) => of.start('x')],
  ['stop', '/containers/x/stop', (of) => of.stop('x')],
  ['restart', '/containers/x/restart', (of) => of.restart('x')],
  ['removal', '/containers/x', (of) => of.remove('x')],
  ['rename', '/containers/x/rename', (of) => of.rename('x', 'y')],
  ['inspection, which waits for the same lock', '/containers/x/json', (of) => of.inspectContainer('x')],
  ['log', '/containers/x/logs', (of) => of.logs('x', 1)],
])('a call that hangs (%s) is refused by an engine that answers other calls', async (_, path, act) => {
  hangs(path);
  await expect(act(engine)).rejects.toMatchObject({
    code: 'engine_refused',
    message: expect.stringContaining(`did not complete `),
  });
});

it('no engine answers if it does not answer a ping either', async () => {
  hangs('/containers/x/start');
  await engine.inspectContainer('x');
  server.ping = runOut;
  await expect(engine.start('x')).rejects.toMatchObject({ code: 'engine_unreachable' });
});

it('no engine answers that does not list its containers, or whose Swarm has no leader', async () => {
  hangs('/containers/json');
  hangs('/services/web');
  const swarm = createDockerSwarm({ dockerHost: server.address, dockerConfigDir: null });
  await expect(engine.containerIds()).rejects.toMatchObject({ code: 'engine_unreachable' });
  await expect(swarm.service('web')).rejects.toMatchObject({ code: 'engine_unreachable' });
});

it('a registry that accepts the connection and says nothing is unreachable, and the engine is not', async () => {
  hangs('/distribution/denied.test/app:1/json');
  await expect(engine.registryDigest('denied.test/app:1')).rejects.toMatchObject({ code: 'registry_unreachable' });
});

it('a pull from such a registry fails', async () => {
  hangs('/images/create');
  const pull = engine.pull(`nginx@${DIGEST}`, () => undefined);
  await expect(pull).rejects.toMatchObject({ code: 'pull_failed' });
});

it('an engine that takes nothing more of what it is to unpack is not waited for', async () => {
  hangs('/containers/x/archive');
  const unpacking = engine.extract('x', '/data', Readable.from([Buffer.alloc(1024)]));
  await expect(unpacking).rejects.toMatchObject({
    code: 'engine_refused',
    message: expect.stringContaining('did not complete PUT /containers/x/archive within 600 s'),
  });
});
