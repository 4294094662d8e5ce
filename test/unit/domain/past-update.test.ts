import { awaySeconds, type RunSeen } from '../../../src/domain/update';
import { aStep } from '../../support/news-builder';

const seen = (differs: Partial<RunSeen> = {}): number | null =>
  awaySeconds({
    status: 'succeeded',
    steps: [aStep('backup', 0, 12), aStep('recreate', 20, 21), aStep('health_check', 21, 26)],
    ownStop: null,
    served: false,
    ...differs,
  });

test('a container is missed from its stop until it is healthy again', () => {
  expect(seen()).toBe(6);
});

test('from its stop for the backup on, and from the start of that, where an older version did not note it', () => {
  expect(seen({ ownStop: { at: aStep('backup', 8, 12).startedAt } })).toBe(18);
  expect(seen({ ownStop: { at: null } })).toBe(26);
});

test('from the move of its data to a new PostgreSQL major on', () => {
  const steps = [aStep('move_data', 14, 16), aStep('recreate', 20, 21), aStep('health_check', 21, 26)];
  expect(seen({ steps })).toBe(12);
});

test('not at all in a handover', () => {
  expect(seen({ served: true })).toBe(0);
});

test('after a rollback, until the old one was healthy: after the restore, if there was one', () => {
  const failed = aStep('health_check', 21, 30, { status: 'failed' });
  const back = [aStep('recreate', 20, 21), failed, aStep('rollback', 30, 31), aStep('rollback_health_check', 31, 40)];
  expect(seen({ status: 'rolled_back', steps: back })).toBe(20);
  const refused = [
    ...back.slice(0, 3),
    aStep('rollback_health_check', 31, 40, { status: 'failed' }),
    aStep('restore', 40, 70),
    aStep('restore_health_check', 70, 80),
  ];
  expect(seen({ status: 'rolled_back', steps: refused })).toBe(60);
});

test.each(['failed', 'rollback_failed'] as const)('is not known of one that %s', (status) => {
  expect(seen({ status })).toBeNull();
});

test('is not known of one that was never replaced', () => {
  expect(seen({ steps: [aStep('backup', 0, 12)] })).toBeNull();
});
