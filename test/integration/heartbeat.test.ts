import { startHeartbeat } from '../../src/http/health/heartbeat';
import type { Loop } from '../../src/lib/loop';
import { Secret } from '../../src/lib/secret';
import { systemClock } from '../../src/lib/clock';
import { eventually } from '../support/eventually';
import { recordingLogger, type LogLine } from '../support/recording-logger';
import { startRecordingServer, type RecordingServer } from '../support/recording-server';
import { healthReport, type HealthReport } from '../../src/diagnosis/health-report';
import type { Check } from '../../src/diagnosis/problem';

// The calls of the heartbeat, at the other end of the wire.
const ok: Check = { status: 'ok' };
const ALL = { database: ok, docker: ok, scheduler: ok, outbox: ok, backups: ok, certificates: ok, channels: ok };
const REPORTS: Record<'good' | 'degraded' | 'down', HealthReport> = {
  good: healthReport('1', ALL),
  degraded: healthReport('1', { ...ALL, backups: { status: 'degraded', reason: 'the last one failed' } }),
  down: healthReport('1', { ...ALL, docker: { status: 'down', reason: 'no Docker Engine answers' } }),
};

let server: RecordingServer;
let status: number;
let answers: boolean;
let health: keyof typeof REPORTS;
let lines: LogLine[];
let beat: Loop;
beforeEach(async () => {
  [status, answers, health] = [200, true, 'good'];
  server = await startRecordingServer((_, response) => {
    if (answers) response.writeHead(status, status === 302 ? { Location: '/elsewhere' } : {}).end();
  });
});
afterEach(async () => {
  await beat?.stop();
  await server.close();
});

function start(path: string, login = ''): void {
  const recording = recordingLogger();
  lines = recording.lines;
  beat = startHeartbeat({
    ...{ url: new Secret(`http://${login}127.0.0.1:${server.port}${path}`), intervalMs: 20, clock: systemClock },
    ...{ ask: () => Promise.resolve(REPORTS[health]), logger: recording.logger },
  });
}
const seen = (url: string) =>
  eventually(`a call of ${url}`, () => server.requests.find((request) => request.url === url));
const messages = (): string[] => lines.map(({ message }) => message);

test('it is called after each interval while all is well or degraded, and `/fail` once it is down', async () => {
  start('/ping/uuid', 'me:p%40ss@');
  await eventually('it is called again', () => server.requests.length >= 3);
  expect(new Set(server.requests.map(({ method, url }) => `${method} ${url}`))).toEqual(new Set(['GET /ping/uuid']));
  expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  health = 'degraded';
  const before = server.requests.length;
  await eventually('it is called while degraded', () => server.requests.length >= before + 3);
  expect(server.requests.some(({ url }) => url.endsWith('/fail'))).toBe(false);
  health = 'down';
  await seen('/ping/uuid/fail');
  health = 'good';
  const failed = server.requests.length;
  await eventually('it is well again', () => server.requests.slice(failed).some(({ url }) => url === '/ping/uuid'));
});

test('Uptime Kuma is called with status and message', async () => {
  start('/api/push/key?status=up&msg=OK&ping=');
  await seen('/api/push/key?status=up&msg=OK&ping=');
  health = 'down';
  await seen('/api/push/key?status=down&msg=docker%3A+no+Docker+Engine+answers&ping=');
});

test.each([500, 404, 302] as const)(
  'an answer of %i is reported once, without the address, and tried again',
  async (code) => {
    status = code;
    start('/ping/secret-uuid');
    await eventually('it is called again', () => server.requests.length >= 3);
    expect(server.requests.some(({ url }) => url === '/elsewhere')).toBe(false);
    const failures = () => messages().filter((message) => /was not taken/.test(message));
    expect(failures()).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain(`answered ${code}`);
    expect(JSON.stringify(lines)).not.toContain('secret-uuid');
    status = 200;
    await eventually('it says so', () => messages().includes('the heartbeat is answered again'));
  },
);

test('a call that hangs is ended by the stop, and not reported', async () => {
  answers = false;
  start('/ping/uuid');
  await seen('/ping/uuid');
  const from = Date.now();
  await beat.stop();
  expect(Date.now() - from).toBeLessThan(5_000);
  expect(lines).toEqual([]);
});
