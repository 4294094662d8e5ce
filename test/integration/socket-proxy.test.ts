import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createServer as createRawServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { dockerAddress } from '../../src/adapters/docker/wire';
import { createSocketProxy } from '../../src/adapters/docker/socket-proxy/socket-proxy';
import { startEngineServer, type EngineServer } from '../support/engine-server';
import { recordingLogger } from '../support/recording-logger';

// What a real engine behind it shows is in test/e2e/engine.contract.long.test.ts: here is what a hostile client tries.
let engine: EngineServer;
let proxy: ReturnType<typeof createSocketProxy>;
let log: ReturnType<typeof recordingLogger>;

beforeEach(async () => {
  engine = await startEngineServer();
  engine.answers.set('/containers/json', (_request, response) => response.end('[]'));
  log = recordingLogger();
  proxy = createSocketProxy({ engine: dockerAddress(engine.address), listed: ENGINE_CALLS, logger: log.logger });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
});

afterEach(async () => {
  proxy.close().closeAllConnections();
  await engine.close();
});

/** Everything that comes back for these bytes, until the other side hangs up. */
async function answerTo(bytes: string, { ends = false } = {}): Promise<string> {
  const client = connect((proxy.address() as AddressInfo).port, '127.0.0.1');
  client.write(bytes);
  if (ends) client.end();
  return text(client);
}

const LIST = 'GET /containers/json HTTP/1.1\r\nHost: x\r\n\r\n';
const LAST = 'GET /containers/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const VOLUMES = 'GET /volumes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

test('each request on a connection is looked at by itself', async () => {
  const answer = await answerTo(LIST + VOLUMES.replace('close', 'keep-alive') + LAST);
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 200']);
  expect(engine.requests).toEqual(['GET /containers/json', 'GET /containers/json']);
  expect(log.lines).toEqual([expect.objectContaining({ message: 'refused a call to the engine', path: '/volumes' })]);
});

const CLOSE = 'Host: x\r\nConnection: close\r\n';

test.each([
  [
    'the body of a call',
    `POST /containers/x/start HTTP/1.1\r\n${CLOSE}Content-Length: ${VOLUMES.length}\r\n\r\n${VOLUMES}`,
  ],
  [
    'a length told twice',
    `POST /containers/x/start HTTP/1.1\r\n${CLOSE}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${VOLUMES}`,
  ],
])('no request reaches the engine hidden in %s', async (_where, bytes) => {
  await answerTo(bytes);
  expect(engine.requests.filter((line) => line.includes('volumes'))).toEqual([]);
});

/** The engine's end of a connection, as bytes: a server would already take them apart. */
async function bytesFor(asked: string): Promise<string> {
  let got = '';
  const server = createRawServer((connection) => {
    connection.on('error', () => connection.destroy());
    connection.on('data', (part: Buffer) => {
      got += part.toString();
      if (got.includes('/volumes')) connection.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = dockerAddress(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  proxy.close();
  proxy = createSocketProxy({ engine: address, listed: ENGINE_CALLS, logger: log.logger });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  await answerTo(asked);
  server.close();
  return got;
}

// What follows an answer is read as the next request wherever a connection is kept.
test.each(['GET /containers/json', 'HEAD /containers/json', 'DELETE /containers/x', 'POST /containers/x/start'])(
  'a body of unknown length stays a body: %s',
  async (line) => {
    const chunk = `${VOLUMES.length.toString(16)}\r\n${VOLUMES}\r\n0\r\n\r\n`;
    const got = await bytesFor(`${line} HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    const [head = '', body = ''] = got.split(/\r\n\r\n(.*)/s);
    expect([head.toLowerCase(), body]).toEqual([expect.stringContaining('transfer-encoding: chunked'), chunk]);
  },
);

const START =
  'POST /exec/x/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}';

test('nor behind a call that turns raw, when the engine refuses it', async () => {
  const asked: string[] = [];
  const refusing = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(409).end('{"message":"is not running"}');
  });
  await once(refusing.listen(0, '127.0.0.1'), 'listening');
  const address = dockerAddress(`tcp://127.0.0.1:${(refusing.address() as AddressInfo).port}`);
  proxy.close();
  proxy = createSocketProxy({ engine: address, listed: ENGINE_CALLS, logger: log.logger });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  expect(await answerTo(START + VOLUMES)).toMatch(/^HTTP\/1\.1 409 [\s\S]*is not running"\}$/);
  expect(asked).toEqual(['POST /exec/x/start']);
  refusing.close().closeAllConnections();
});

test('a connection that would turn raw elsewhere is refused', async () => {
  const upgrade =
    'POST /session HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n';
  expect(await answerTo(upgrade)).toMatch(/^HTTP\/1\.1 403 /);
  expect(engine.requests).toEqual([]);
});

test.each(['POST /containers/create?name=x', 'GET /events', 'PUT /containers/x/archive?path=/'])(
  'only the start of a command turns a connection raw, not %s',
  async (line) => {
    const asked = `${line} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}`;
    expect(await answerTo(asked)).toMatch(/^HTTP\/1\.1 403 [\s\S]*its connection never turns raw/);
    expect(engine.requests).toEqual([]);
  },
);

test('one side of a raw connection may end while the other still speaks', async () => {
  engine.upgrades.set('/exec/x/start', (connection) => {
    let input = '';
    connection.on('data', (part: Buffer) => (input += part.toString()));
    connection.on('end', () => connection.end(`got ${input}`));
  });
  expect(await answerTo(`${START}the input`, { ends: true })).toMatch(/^HTTP\/1\.1 101 [\s\S]*got the input$/);
});

test('an engine that is away is told as such', async () => {
  await engine.close();
  expect(await answerTo(LAST)).toMatch(/^HTTP\/1\.1 502 [\s\S]*the engine does not answer/);
});

test('reports whether each call reaches the engine, which a cut connection does not change', async () => {
  const reached: boolean[] = [];
  const nowhere = createSocketProxy({
    engine: dockerAddress('unix:///nowhere/docker.sock'),
    listed: ENGINE_CALLS,
    logger: log.logger,
    reached: (isReached) => void reached.push(isReached),
  });
  proxy.close();
  proxy = nowhere;
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  expect(await answerTo(LAST)).toMatch(/^HTTP\/1\.1 502 /);
  expect(reached).toEqual([false]);
  proxy.close();
  proxy = createSocketProxy({
    engine: dockerAddress(engine.address),
    listed: ENGINE_CALLS,
    logger: log.logger,
    reached: (isReached) => void reached.push(isReached),
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  expect(await answerTo(LAST)).toMatch(/^HTTP\/1\.1 200 /);
  engine.answers.set('/containers/json', (request) => request.socket.destroy());
  expect(await answerTo(LAST)).toMatch(/^HTTP\/1\.1 502 /);
  expect(reached).toEqual([false, true]);
});
