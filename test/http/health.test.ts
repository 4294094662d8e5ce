import supertest from 'supertest';
import type { HealthSources } from '../../src/http/server';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';
import { TestClock } from '../support/test-clock';
import { startHttp, type RunningHttp } from '../support/http-app';
import { underMode } from '../../src/diagnosis/health-report';

let http: RunningHttp | null = null;
afterEach(async () => {
  await http?.stop();
  http = null;
});

const HEALTHY: HealthSources = {
  pingEngine: () => Promise.resolve('pong'),
  scheduler: () => ({ status: 'ok' }),
};

async function health(overrides: Parameters<typeof startHttp>[0] = {}) {
  http = await startHttp(overrides);
  return supertest(http.url).get('/health');
}

test('observing is no fault, and is said', () => {
  expect(underMode('act', { status: 'ok' })).toEqual({ status: 'ok' });
  expect(underMode('observe', { status: 'ok' })).toEqual({ status: 'ok', reason: expect.stringContaining('observe') });
  const late = { status: 'degraded' as const, reason: 'backup: late' };
  expect(underMode('observe', late)).toEqual(late);
});

test('a service that can do its work says so to anyone', async () => {
  const response = await health();
  expect(response.status).toBe(200);
  expect(response.body).toEqual({
    status: 'ok',
    version: '0.1.0',
    checks: {
      database: { status: 'ok' },
      docker: { status: 'ok' },
      scheduler: { status: 'ok' },
      outbox: { status: 'ok' },
      backups: { status: 'ok' },
      certificates: { status: 'ok' },
      channels: { status: 'ok' },
    },
  });
});

test.each([
  ['does not answer', () => new Promise(() => undefined)],
  ['refuses', () => Promise.reject(new Error('connect ECONNREFUSED /secret/path.sock'))],
  [
    'cannot even be asked',
    () => {
      throw new Error('broken');
    },
  ],
])('503 when Docker %s, with the reason and no inner words', async (_what, pingEngine) => {
  const response = await health({ health: { ...HEALTHY, pingEngine } });
  expect(response.status).toBe(503);
  expect(response.body.status).toBe('down');
  expect(response.body.checks.docker).toMatchObject({
    status: 'down',
    reason: expect.stringContaining('DOCKER_HOST'),
  });
  expect(response.text).not.toMatch(/secret|ECONNREFUSED|broken/);
});

test('503 when the database is gone; every other check is still told', async () => {
  const store = createSqliteStore({ path: ':memory:', clock: systemClock });
  store.close();
  const response = await health({ store });
  expect(response.status).toBe(503);
  expect(response.body.checks).toMatchObject({
    database: { status: 'down', reason: expect.stringContaining('data directory') },
    docker: { status: 'ok' },
    outbox: { status: 'degraded' },
  });
});

test('a scheduler that stands still degrades, it does not take the service down', async () => {
  const response = await health({
    health: { ...HEALTHY, scheduler: () => ({ status: 'down', reason: 'no timer is set' }) },
  });
  expect(response.status).toBe(200);
  expect(response.body).toMatchObject({
    status: 'degraded',
    checks: { scheduler: { status: 'down', reason: 'no timer is set' } },
  });
});

test('the engine is asked once in two seconds, however often /health is', async () => {
  const clock = new TestClock();
  let pings = 0;
  const pingEngine = () => Promise.resolve(pings++);
  await health({ clock, health: { ...HEALTHY, pingEngine } });
  const ask = () => supertest(http?.url ?? '').get('/health');
  await Promise.all([ask(), ask(), ask()]);
  expect(pings).toBe(1);
  await clock.advance(2_000);
  await ask();
  expect(pings).toBe(2);
});

test('an answer from before the clock was put back is not repeated', async () => {
  const clock = new TestClock();
  let up = true;
  const pingEngine = () => (up ? Promise.resolve() : Promise.reject(new Error('no engine')));
  await health({ clock, health: { ...HEALTHY, pingEngine } }).then(({ status }) => expect(status).toBe(200));
  up = false;
  await clock.advance(-3_600_000);
  expect((await supertest(http?.url ?? '').get('/health')).status).toBe(503);
});
