import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createDockerSwarm } from '../../src/adapters/docker/swarm/swarm';
import type { Engine } from '../../src/ports/engine';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const FASTER = 200;
let server: EngineServer;
let engine: Engine;

/** Minutes are seconds here. */
beforeEach(async () => {
  const [limit, timer] = [AbortSignal.timeout.bind(AbortSignal), setTimeout];
  jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => limit(ms / FASTER));
  jest.spyOn(global, 'setTimeout').mockImplementation((act: () => void, ms = 0) => timer(act, ms / FASTER));
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

const hangs = (path: string): unknown => server.answers.set(path, () => undefined);

it.each<[string, string, (of: Engine) => Promise<unknown>]>([
  ['start', '/containers/x/start', (of) => of.start('x')],
  ['stop', '/containers/x/stop', (of) => of.stop('x')],
  ['restart', '/containers/x/restart', (of) => of.restart('x')],
  ['removal', '/containers/x', (of) => of.remove('x')],
  ['rename', '/containers/x/rename', (of) => of.rename('x', 'y')],
  ['inspect, which waits for the same lock', '/containers/x/json', (of) => of.inspectContainer('x')],
  ['log', '/containers/x/logs', (of) => of.logs('x', 1)],
])('a %s that hangs is refused by an engine that answers other calls', async (_, path, act) => {
  hangs(path);
  await expect(act(engine)).rejects.toMatchObject({
    code: 'engine_refused',
    message: expect.stringContaining(`did not complete `),
  });
});

it('no engine answers if it does not answer a ping either', async () => {
  hangs('/containers/x/start');
  await engine.inspectContainer('x');
  server.ping = () => undefined;
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
