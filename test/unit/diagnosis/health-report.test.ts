import type { BackupRecord } from '../../../src/domain/backups/backup';
import type { CertificateSeen } from '../../../src/domain/certificates/certificate';
import { CHECK_NAMES, dockerCheck, healthReport } from '../../../src/diagnosis/health-report';
import { asCheck, type Check, forOperator } from '../../../src/diagnosis/problem';
import {
  backupProblems,
  certificateProblems,
  channelProblems,
  dockerProblems,
  outboxProblems,
} from '../../../src/diagnosis/problems';

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
    expect(asCheck(outboxProblems({ ...state, pending: 1, oldestPendingAt: '2026-01-05T02:50:00Z' }, NOW))).toEqual(ok);
  });

  test('is degraded when a mail waits for long', () => {
    const check = asCheck(outboxProblems({ ...state, pending: 2, oldestPendingAt: '2026-01-05T02:44:59Z' }, NOW));
    expect(check).toMatchObject({
      status: 'degraded',
      reason:
        '2 mails are waiting since 2026-01-05 02:44:59 UTC, not accepted by the mail server: run `diun-pilot check`',
    });
  });

  test("is degraded when a mail was refused, and keeps the server's words to itself", () => {
    const check = asCheck(outboxProblems({ ...state, refused: 1 }, NOW));
    expect(check).toMatchObject({ status: 'degraded', reason: expect.stringContaining('1 mail was refused') });
    expect(check.reason).not.toContain('pass');
  });
});

describe('the backups', () => {
  const record = (project: string | null, status: BackupRecord['status'], container: string | null = null) =>
    ({ project, container, status }) as BackupRecord;

  test('are ok when the newest finished one of each project succeeded', () => {
    const records = [record('web', 'running'), record('web', 'succeeded'), record('web', 'failed')];
    expect(asCheck(backupProblems(records))).toEqual(ok);
    expect(asCheck(backupProblems([]))).toEqual(ok);
  });

  test('are degraded when it failed, and name the project', () => {
    const records = [record('git', 'succeeded'), record('web', 'failed'), record('web', 'succeeded')];
    expect(asCheck(backupProblems(records))).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('of web failed'),
    });
  });

  test('of a project and of a container of its name are two sets', () => {
    const records = [record('web', 'succeeded'), record(null, 'failed', 'web')];
    expect(asCheck(backupProblems(records)).reason).toContain('the last backup of web failed');
  });

  test('name the container where there is no project', () => {
    expect(asCheck(backupProblems([record(null, 'failed', 'alone')])).reason).toContain('of alone failed');
  });
});

test('a container that has lost its network is told with Docker, and not with the backups', () => {
  const since = '2026-11-23T00:00:00Z';
  const lost = { kind: 'network_lost', subject: 'web', since, words: 'web is lost', figure: null } as const;
  expect(dockerCheck({ status: 'ok' }, dockerProblems([lost], []), [])).toEqual({
    status: 'degraded',
    reason: 'web is lost',
  });
  expect(dockerCheck({ status: 'ok' }, dockerProblems([], []), [])).toEqual({ status: 'ok' });
  expect(dockerCheck({ status: 'down', reason: 'no engine' }, dockerProblems([lost], []), [])).toEqual({
    status: 'down',
    reason: 'no engine',
  });
  expect(asCheck(backupProblems([], [lost]))).toEqual({ status: 'ok' });
});

test('a container that an update left over degrades Docker, and one kept on purpose does not', () => {
  const kept = {
    ...{ containerId: 'c1', container: 'web', name: 'web.diun-pilot-old-0123456789', updateId: 'u1' },
    ...{ reason: 'It is left over from update u1.', keepUntil: '2026-11-23T00:00:00Z' },
  };
  expect(
    dockerCheck({ status: 'ok' }, dockerProblems([], [{ ...kept, leftover: false }]), [{ ...kept, leftover: false }]),
  ).toEqual({
    status: 'ok',
    reason: 'web.diun-pilot-old-0123456789 is kept, stopped, until 2026-11-23 00:00:00 UTC',
  });
  expect(
    dockerCheck({ status: 'ok' }, dockerProblems([], [{ ...kept, leftover: true }]), [{ ...kept, leftover: true }]),
  ).toEqual({
    status: 'degraded',
    reason: expect.stringContaining('web.diun-pilot-old-0123456789 still exists'),
  });
});

describe('one problem', () => {
  const channel = { pending: 0, oldestPendingAt: null, refused: 2, lastError: '403: no such token', name: 'ops' };
  const problems = channelProblems([channel, { ...channel, name: 'pager', refused: 1 }], NOW);

  test('has its detail for the operator alone', () => {
    expect(asCheck(problems)).toEqual({
      status: 'degraded',
      reason:
        '2 notices were refused by ops; 1 notice was refused by pager: run `diun-pilot check --notify`, fix PILOT_NOTIFY_URL and restart',
    });
    expect(problems.map(forOperator)[0]).toBe(
      '2 notices were refused by ops (403: no such token): fix PILOT_NOTIFY_URL and restart',
    );
  });

  test('says days in the singular, too', () => {
    const served = { notBefore: '2025-12-01T00:00:00Z', notAfter: '2026-01-06T04:00:00Z' } as CertificateSeen['served'];
    const seen = { name: 'git.example.org', server: 'web', served, disk: null, problem: null } as CertificateSeen;
    expect(asCheck(certificateProblems(seen, NOW)).reason).toBe(
      'the certificate of git.example.org has 1 day left: run `diun-pilot renew`',
    );
  });
});
