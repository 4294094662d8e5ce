import type { BackupRecord } from '../../../../src/domain/backups/backup';
import {
  dockerAndContainers,
  backupsCheck,
  CHECK_NAMES,
  healthReport,
  outboxCheck,
  type Check,
} from '../../../../src/http/health/health-report';

const NOW = new Date('2026-01-05T03:00:00Z');
const ok: Check = { status: 'ok' };
const allOk = { database: ok, docker: ok, scheduler: ok, outbox: ok, backups: ok, certificates: ok, channels: ok };

describe('the report', () => {
  test('is ok when every check is', () => {
    expect(healthReport('1', allOk)).toEqual({ status: 'ok', version: '1', checks: allOk });
  });

  test.each(CHECK_NAMES)('is down only for database and docker: %s', (name) => {
    const essential = name === 'database' || name === 'docker';
    expect(healthReport('1', { ...allOk, [name]: { status: 'down' } }).status).toBe(essential ? 'down' : 'degraded');
    expect(healthReport('1', { ...allOk, [name]: { status: 'degraded' } }).status).toBe('degraded');
  });
});

describe('the outbox', () => {
  const state = { pending: 0, oldestPendingAt: null, refused: 0, lastError: 'smtp://user:pass@host said no' };

  test('is ok while a mail is on its way', () => {
    expect(outboxCheck({ ...state, pending: 1, oldestPendingAt: '2026-01-05T02:50:00Z' }, NOW)).toEqual(ok);
  });

  test('is degraded when a mail waits for long', () => {
    const check = outboxCheck({ ...state, pending: 2, oldestPendingAt: '2026-01-05T02:44:59Z' }, NOW);
    expect(check).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('2 mails are waiting since 2026-01-05 02:44:59 UTC:'),
    });
  });

  test("is degraded when a mail was refused, and keeps the server's words to itself", () => {
    const check = outboxCheck({ ...state, refused: 1 }, NOW);
    expect(check).toMatchObject({ status: 'degraded', reason: expect.stringContaining('1 mail is refused') });
    expect(check.reason).not.toContain('pass');
  });
});

describe('the backups', () => {
  const record = (project: string | null, status: BackupRecord['status'], container: string | null = null) =>
    ({ project, container, status }) as BackupRecord;

  test('are ok when the newest finished one of each project succeeded', () => {
    const records = [record('web', 'running'), record('web', 'succeeded'), record('web', 'failed')];
    expect(backupsCheck(records)).toEqual(ok);
    expect(backupsCheck([])).toEqual(ok);
  });

  test('are degraded when it failed, and name the project', () => {
    const records = [record('git', 'succeeded'), record('web', 'failed'), record('web', 'succeeded')];
    expect(backupsCheck(records)).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('of web failed'),
    });
  });

  test('name the container where there is no project', () => {
    expect(backupsCheck([record(null, 'failed', 'alone')]).reason).toContain('of alone failed');
  });
});

test('a container that has lost its network is told with Docker, and not with the backups', () => {
  const lost = { kind: 'network_lost', subject: 'web', since: '2026-11-23T00:00:00Z', words: 'web is lost' } as const;
  expect(dockerAndContainers({ status: 'ok' }, [lost], [])).toEqual({ status: 'degraded', reason: 'web is lost' });
  expect(dockerAndContainers({ status: 'ok' }, [], [])).toEqual({ status: 'ok' });
  expect(dockerAndContainers({ status: 'down', reason: 'no engine' }, [lost], [])).toEqual({
    status: 'down',
    reason: 'no engine',
  });
  expect(backupsCheck([], [lost])).toEqual({ status: 'ok' });
});

test('a container that an update left over degrades Docker, and one kept on purpose does not', () => {
  const kept = {
    ...{ containerId: 'c1', container: 'web', name: 'web.diun-pilot-old-0123456789', updateId: 'u1' },
    ...{ reason: 'It is left over from update u1.', keepUntil: '2026-11-23T00:00:00Z' },
  };
  expect(dockerAndContainers({ status: 'ok' }, [], [{ ...kept, leftover: false }])).toEqual({
    status: 'ok',
    reason: 'web.diun-pilot-old-0123456789 is kept, stopped, until 2026-11-23 00:00:00 UTC',
  });
  expect(dockerAndContainers({ status: 'ok' }, [], [{ ...kept, leftover: true }])).toEqual({
    status: 'degraded',
    reason: expect.stringContaining('web.diun-pilot-old-0123456789 still exists'),
  });
});
