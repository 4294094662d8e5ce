import { heartbeatUrl } from '../../../../src/http/health/heartbeat';
import { healthReport } from '../../../../src/diagnosis/health-report';
import type { Check } from '../../../../src/diagnosis/problem';

const ok: Check = { status: 'ok' };
const ALL = { database: ok, docker: ok, scheduler: ok, outbox: ok, backups: ok, certificates: ok, channels: ok };
const good = healthReport('1', ALL);
const degraded = healthReport('1', {
  ...ALL,
  backups: { status: 'degraded', reason: 'the last backup of git failed' },
});
const down = healthReport('1', { ...ALL, docker: { status: 'down', reason: 'no Docker Engine answers' } });

test('healthchecks.io: the address while it is ok or degraded, /fail once it is down', () => {
  const address = 'https://hc-ping.com/uuid?rid=1';
  expect([good, degraded, down].map((report) => heartbeatUrl(address, report))).toEqual([
    address,
    address,
    'https://hc-ping.com/uuid/fail?rid=1',
  ]);
});

test('Uptime Kuma: status and message in its own parameters, the others as they are', () => {
  const address = 'https://kuma.example.org/api/push/key?status=up&msg=OK&ping=';
  const of = (report: typeof good) => Object.fromEntries(new URL(heartbeatUrl(address, report)).searchParams);
  expect(of(good)).toEqual({ status: 'up', msg: 'OK', ping: '' });
  expect(of(degraded)).toEqual({ status: 'up', msg: 'backups: the last backup of git failed', ping: '' });
  expect(of(down)).toEqual({ status: 'down', msg: 'docker: no Docker Engine answers', ping: '' });
});
