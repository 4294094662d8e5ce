import type { BackupRecord } from '../../../../src/domain/backups/backup';
import type { ContainerInspect } from '../../../../src/domain/engine-inspect';
import { judgeSoak, lookEveryMs, offeredData, type SchemaSeen } from '../../../../src/domain/soak/soak';

const RUNNING = { Status: 'running', Running: true, Restarting: false, OOMKilled: false, ExitCode: 0, Error: '' };
const EXITED = { ...RUNNING, Status: 'exited', Running: false };

function seen(state: object, { restarts = 0, policy = 'no' } = {}): ContainerInspect {
  return {
    State: state,
    RestartCount: restarts,
    HostConfig: { RestartPolicy: { Name: policy } },
  } as unknown as ContainerInspect;
}

describe('what Docker says of a container in its soak', () => {
  test.each([
    ['runs', seen(RUNNING), 'runs'],
    ['has a HEALTHCHECK that passes', seen({ ...RUNNING, Health: { Status: 'healthy' } }), 'runs'],
    ['has a HEALTHCHECK that has yet to pass', seen({ ...RUNNING, Health: { Status: 'starting' } }), 'runs'],
    ['has a HEALTHCHECK that fails', seen({ ...RUNNING, Health: { Status: 'unhealthy', Log: [] } }), 'failed'],
    ['was started again by its policy', seen(RUNNING, { restarts: 3, policy: 'always' }), 'failed'],
    ['waits for its restart', seen({ ...RUNNING, Status: 'restarting', ExitCode: 1 }), 'failed'],
    ['is paused', seen({ ...RUNNING, Status: 'paused' }), 'left'],
    ['was stopped, although its policy starts it again', seen(EXITED, { policy: 'unless-stopped' }), 'left'],
    ['ended with an error', seen({ ...EXITED, ExitCode: 1 }), 'failed'],
    ['ended on SIGTERM', seen({ ...EXITED, ExitCode: 143 }), 'stopped'],
    ['ended with the engine', seen({ ...EXITED, ExitCode: 137 }), 'stopped'],
    ['ended for want of memory', seen({ ...EXITED, ExitCode: 137, OOMKilled: true }), 'failed'],
    ['could not start', seen({ ...EXITED, ExitCode: 128, Error: 'port' }, { policy: 'always' }), 'failed'],
  ])('one that %s', (_, container, state) => {
    expect(judgeSoak(container, 2).state).toBe(state);
  });

  test('restarts from before the soak are not held against it', () => {
    expect(judgeSoak(seen(RUNNING, { restarts: 2, policy: 'always' }), 2)).toEqual({ state: 'runs' });
    expect(judgeSoak(seen(RUNNING, { restarts: 4, policy: 'always' }), 2)).toMatchObject({
      why: 'it exited and was restarted 2 times',
    });
  });
});

test.each([
  [20, 2_000],
  [5, 1_000],
  [7200, 10_000],
])('a soak of %i s is looked at every %i ms', (seconds, ms) => {
  const startedAt = '2026-01-05T03:00:00.000Z';
  expect(lookEveryMs({ startedAt, until: new Date(Date.parse(startedAt) + seconds * 1000).toISOString() })).toBe(ms);
});

test('the current data is offered alone where the schema is unchanged, the backup alone where it is not', () => {
  const offered = (schema: SchemaSeen, of: BackupRecord | null, set: object = {}) =>
    offeredData({ updateId: 'one', schema }, of, { changesSet: true, changedByOthers: false, ...set });
  const backup = { updateId: 'one', status: 'succeeded', items: [{}], pruned: null } as unknown as BackupRecord;
  expect(offered('unchanged', backup)).toEqual(['current']);
  expect(offered('changed', backup)).toEqual(['backup']);
  expect(offered('changed', null)).toEqual([]);
  expect(offered('unknown', backup)).toEqual(['backup', 'current']);
  expect(offered('unknown', { ...backup, pruned: { at: '', because: 'retention' } })).toEqual(['current']);
  expect(offered('changed', { ...backup, status: 'failed' })).toEqual([]);
  expect(offered('unknown', { ...backup, updateId: 'another' })).toEqual(['current']);
  expect(offered('unknown', backup, { changesSet: false })).toEqual(['current']);
  expect(offered('unknown', backup, { changedByOthers: true })).toEqual(['current', 'backup']);
});
