import { replacedByApproval } from '../../../../src/domain/decision/open-updates';
import { anUpdate } from '../../../support/news-builder';

const SATURDAY = '2026-11-28T02:00:00.000Z';
const approval = { status: 'approved' as const, expiresAt: SATURDAY, decidedAt: SATURDAY };
const queued = (tag: string, more: Parameters<typeof anUpdate>[0] = {}): ReturnType<typeof anUpdate> =>
  anUpdate({ id: tag, status: 'queued', to: { reference: `nginx:${tag}`, digest: tag }, approval, ...more });
const replaced = (approved: ReturnType<typeof anUpdate>, ...open: ReturnType<typeof anUpdate>[]): string[] =>
  replacedByApproval(approved, [approved, ...open]).map(({ id }) => id);

test('an approval replaces the lower versions that the operator approved or requested before', () => {
  expect(replaced(queued('1.28.0'), queued('1.27.4'), queued('1.29.0'))).toEqual(['1.27.4']);
  expect(replaced(queued('1.28.0'), queued('1.27.4', { approval: null, source: 'operator' }))).toEqual(['1.27.4']);
});

test('what runs before it goes on: a patch due earlier, an automatic one, and one that runs already', () => {
  const late = queued('1.28.0', { notBefore: SATURDAY });
  expect(replaced(late, queued('1.27.4'))).toEqual([]);
  expect(replaced(late, queued('1.27.4', { notBefore: SATURDAY }))).toEqual(['1.27.4']);
  expect(replaced(queued('1.28.0'), queued('1.27.4', { approval: null, source: 'diun' }))).toEqual([]);
  expect(replaced(queued('1.28.0'), queued('1.27.4', { status: 'running' }))).toEqual([]);
});
