import type { Surroundings } from '../../../src/domain/approval';
import { surroundingsPassage } from '../../../src/notifications/mails/passages/surroundings';
import { aBackup, aPlan } from '../../support/news-builder';

function told(surroundings: Partial<Surroundings>, plan = aPlan({ container: 'web' })): string {
  const known = { lastBackup: null, usualDowntimeSeconds: null, ...surroundings };
  return surroundingsPassage(known, plan)
    .map((block) => ('text' in block ? block.text : ''))
    .join('\n');
}

it('tells from its past how long a container is away, or that nobody knows', () => {
  expect(told({ usualDowntimeSeconds: 4.2 })).toContain('web was offline for about 4 s');
  expect(told({ usualDowntimeSeconds: 0.2 })).toContain('less than a second');
  expect(told({})).toContain('not known yet');
});

it('tells when the last verified backup was, or that there is none and whether one will be', () => {
  expect(told({ lastBackup: aBackup() })).toContain('2026-11-23 03:00:22 UTC, 12.4 MiB, read back to its end.');
  expect(told({})).toContain('No backup of the project web exists yet. One is taken before');
  expect(told({}, aPlan({ project: null, container: 'web', backup: [] }))).toContain(
    'no container of web has a backup.kind label',
  );
});

it('says that the disk of the engine is nearly full, and nothing of one that has room', () => {
  expect(told({ disk: 1024 ** 3 })).toMatch(
    /The disk\nThe disk of the Docker Engine is nearly full: only 1\.0 GiB free\. Make room: docker system df shows[^`]*\./,
  );
  expect(told({ disk: null })).not.toContain('disk');
});
