import { passedText, type Rehearsal, whyOutdated } from '../../../src/domain/rehearsal/rehearsal';

it('says in one sentence what a person wants to know, then what was measured', () => {
  const words = passedText({
    backup: { startedAt: '2026-11-28T02:00:00Z', bytes: 13_002_342, live: false },
    ...{ seconds: 41, seen: '/api/healthz says pass', expectedSeconds: 95 },
    change: { changes: ['database app of db: version 1 → 2'], unread: [] },
    rows: [
      { database: 'database app of db', before: '2 tables, 3 rows', after: '3 tables, 3 rows' },
      { database: 'database postgres of db', before: '0 tables, 0 rows', after: '0 tables, 0 rows' },
    ],
  });
  expect(words).toMatch(
    /^Rehearsed on a copy of the backup from [\d: -]+: schema migrated, healthy after 41 s\. Changed/,
  );
  expect(words).toContain(
    'database app of db (2 tables, 3 rows → 3 tables, 3 rows); database postgres of db (0 tables, 0 rows).',
  );
  expect(words).toContain('Size of the backup: 12.4 MiB. The update is expected to take about 1 min 35 s.');
});

it('marks a verdict of another digest, and one that is older than a day', () => {
  const of = (fields: Partial<Rehearsal>): Rehearsal => ({
    ...{ id: 'R', updateId: 'U', digest: 'a', status: 'passed', createdAt: '', startedAt: '', seconds: 1, detail: '' },
    ...{ finishedAt: '2026-11-28T02:00:00Z', requestedBy: null, mail: null },
    ...fields,
  });
  const now = new Date('2026-11-29T01:59:00Z');
  expect(whyOutdated(of({}), 'a', now)).toBeNull();
  expect(whyOutdated(of({}), 'b', now)).toContain('another digest');
  expect(whyOutdated(of({}), 'a', new Date('2026-11-29T02:01:00Z'))).toContain('older than 24 hours');
});
