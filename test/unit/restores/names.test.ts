import { asideDatabase, artifactFolder, isRestoreArtifact } from '../../../src/domain/backups/restore-artifact-names';

const MARK = '01habcdefg';

test('names of a restore tell a person whose they are, and are known again', () => {
  expect(artifactFolder('before', MARK, 3)).toBe('.diun-pilot-before-01habcdefg-03');
  expect(asideDatabase('app', 'restore', MARK, 12)).toBe('app.diun-pilot-restore-01habcdefg-12');
  for (const name of [artifactFolder('restore', MARK, 1), asideDatabase('app', 'before', MARK, 1)]) {
    expect(isRestoreArtifact(name)).toBe(true);
  }
  for (const name of ['app', '.diun-pilot', 'before-01habcdefg-01', 'x.diun-pilot-new-01habcdefg']) {
    expect(isRestoreArtifact(name)).toBe(false);
  }
});

test('no name of a database is longer than the 63 bytes that PostgreSQL keeps, and none is cut in a character', () => {
  for (const name of ['a'.repeat(63), 'ä'.repeat(31), '🐘'.repeat(15)]) {
    const aside = asideDatabase(name, 'restore', MARK, 7);
    expect(Buffer.byteLength(aside)).toBeLessThanOrEqual(63);
    expect(aside).not.toContain('\uFFFD');
    expect(isRestoreArtifact(aside)).toBe(true);
  }
});
