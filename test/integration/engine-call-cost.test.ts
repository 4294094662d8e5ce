import util from 'node:util';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import type { Engine } from '../../src/ports/engine';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';

// docker-modem formats the options of every request with `util.inspect`, of unlimited depth, hidden properties included.
// What it is handed decides what that costs: an abort signal or an agent brings every request that is under way.
const PROPERTIES_PER_CALL = 40;
const AT_ONCE = 100;

let server: EngineServer;
let engine: Engine;
let inspected: number[];

beforeEach(async () => {
  server = await startEngineServer();
  server.answers.set('/containers/json', (_, response) => json(response, []));
  server.answers.set('/containers/x/wait', (_, response) => json(response, { StatusCode: 0 }));
  server.answers.set('/containers/x/rename', (_, response) => json(response, {}, 204));
  engine = createDockerEngine({ dockerHost: server.address, dockerConfigDir: null });
  inspected = [];
  const inspect = util.inspect;
  const { custom } = inspect;
  const counting = jest.spyOn(util, 'inspect').mockImplementation(((value: unknown, options?: util.InspectOptions) => {
    // One line a property.
    inspected.push(inspect(value, { ...options, compact: false }).split('\n').length);
    return '';
  }) as typeof util.inspect);
  Object.assign(counting, { custom });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

test.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
  ['a call with the limit that every call has', () => engine.containerIds()],
  ['a call with a signal of its caller', (signal) => engine.wait('x', signal)],
  ['a command', () => engine.rename('x', 'y')],
])('%s costs at most 40 inspected properties, also among a hundred others', async (_, call) => {
  await Promise.all(Array.from({ length: AT_ONCE }, () => call(new AbortController().signal)));
  expect(inspected.length).toBeGreaterThanOrEqual(AT_ONCE);
  expect(Math.max(...inspected)).toBeLessThanOrEqual(PROPERTIES_PER_CALL);
});
