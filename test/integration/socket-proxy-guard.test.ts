import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { dockerAddress } from '../../src/adapters/docker/wire';
import { createGuard } from '../../src/adapters/docker/socket-proxy/guard/guard';
import { createSocketProxy } from '../../src/adapters/docker/socket-proxy/socket-proxy';
import { startEngineServer, type EngineServer } from '../support/engine-server';
import { anInspect } from '../support/inspect-builder';
import { recordingLogger } from '../support/recording-logger';

// How judged requests travel; what is judged how is in test/unit/adapters/socket-proxy.
const container = anInspect({ config: { Labels: { 'diun.enable': 'true' } } });
let engine: EngineServer;
let proxy: ReturnType<typeof createSocketProxy>;
let log: ReturnType<typeof recordingLogger>;
let bodies: string[];

const json = (response: ServerResponse, value: unknown, status = 200): void =>
  void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));

beforeEach(async () => {
  engine = await startEngineServer();
  bodies = [];
  const keep = (status: number, answer: object) => (request: IncomingMessage, response: ServerResponse) =>
    void text(request).then((body) => {
      bodies.push(`${request.headers['content-length']} ${body}`);
      json(response, answer, status);
    });
  engine.answers.set('/containers/web/json', (_request, response) => json(response, container));
  engine.answers.set(`/images/${container.Image}/json`, (_request, response) =>
    json(response, { Id: container.Image, Config: null }),
  );
  engine.answers.set(`/containers/${container.Id}/exec`, keep(201, { Id: 'e'.repeat(64) }));
  engine.answers.set(`/containers/${container.Id}/update`, keep(200, {}));
  log = recordingLogger();
  proxy = createSocketProxy({
    engine: dockerAddress(engine.address),
    listed: ENGINE_CALLS,
    logger: log.logger,
    guard: createGuard(),
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
});

afterEach(async () => {
  proxy.close().closeAllConnections();
  await engine.close();
});

async function answerTo(head: string, body: string): Promise<string> {
  const client = connect((proxy.address() as AddressInfo).port, '127.0.0.1');
  client.write(`${head}\r\nHost: x\r\nConnection: close\r\n`);
  client.write(body);
  return text(client);
}

const chunked = (body: string): string =>
  `Transfer-Encoding: chunked\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const sized = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('a body in pieces is read whole, judged, and sent in one spelling with its length', async () => {
  const body = '{ "RestartPolicy": {"Name": "always"}, "RestartPolicy": {"Name": "no"} }';
  expect(await answerTo('POST /v1.45/containers/web/update HTTP/1.1', chunked(body))).toMatch(/^HTTP\/1\.1 200 /);
  expect(bodies).toEqual(['31 {"RestartPolicy":{"Name":"no"}}']);
  expect(engine.requests.at(-1)).toBe(`POST /v1.45/containers/${container.Id}/update`);
});

test('a refused one is answered with the reason, which is logged', async () => {
  const answer = await answerTo('POST /v1.45/containers/web/update HTTP/1.1', sized('{"Privileged": true}'));
  expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*the update has the unknown field \\"Privileged\\"/);
  expect(log.lines).toEqual([
    expect.objectContaining({ message: 'refused a call to the engine', path: '/v1.45/containers/web/update' }),
  ]);
  expect(bodies).toEqual([]);
});

test.each([
  ['longer than any call', sized(`{"x": "${'y'.repeat(1024 * 1024)}"}`), 413],
  ['no JSON', sized('{'), 403],
])('a body that is %s is refused', async (_what, body, status) => {
  expect(await answerTo('POST /v1.45/containers/web/update HTTP/1.1', body)).toContain(`HTTP/1.1 ${status} `);
  expect(bodies).toEqual([]);
});

test('a command is started only if it was prepared here', async () => {
  const start = 'POST /v1.45/exec/' + 'e'.repeat(64) + '/start HTTP/1.1';
  const raw = 'Upgrade: tcp\r\nConnection: Upgrade\r\n' + sized('{"Detach":false,"Tty":false}');
  expect(await answerTo(start, raw)).toMatch(/^HTTP\/1\.1 403 [\s\S]*was not prepared through this proxy/);
  await answerTo('POST /v1.45/containers/web/exec HTTP/1.1', sized('{"Cmd": ["id"]}'));
  expect(bodies).toEqual(['14 {"Cmd":["id"]}']);
  engine.upgrades.set('/exec/' + 'e'.repeat(64) + '/start', (connection) => connection.end('its output'));
  expect(await answerTo(start, raw)).toMatch(/^HTTP\/1\.1 101 [\s\S]*its output$/);
});

test('what does not exist is answered as the engine would, and an engine that is away with 502', async () => {
  expect(await answerTo('DELETE /v1.45/containers/gone HTTP/1.1', sized(''))).toMatch(
    /^HTTP\/1\.1 404 [\s\S]*"No such container: gone"/,
  );
  await engine.close();
  expect(await answerTo('DELETE /v1.45/containers/web HTTP/1.1', sized(''))).toMatch(/^HTTP\/1\.1 502 /);
});

test('two that decide about names wait for each other', async () => {
  let atOnce = 0;
  let most = 0;
  engine.answers.set(`/containers/${container.Id}/rename`, (_request, response) => {
    most = Math.max(most, ++atOnce);
    setTimeout(() => (atOnce--, response.writeHead(204).end()), 50);
  });
  const rename = 'POST /v1.45/containers/web/rename?name=web-nginx-1.diun-pilot-old-0123456789 HTTP/1.1';
  const answers = await Promise.all([1, 2, 3].map(() => answerTo(rename, sized(''))));
  expect(answers.map((answer) => answer.slice(0, 12))).toEqual(Array(3).fill('HTTP/1.1 204'));
  expect(most).toBe(1);
});
