const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Files that take longest, measured on two cores, the longest first. A file of this list that ran last would
 * run alone, and a whole run would take minutes longer. Add a new one that takes more than 90 seconds.
 */
const LONGEST = [
  // V8 counts what it has loaded, and a worker keeps the code of all files before: last, this one takes ten times as long.
  'unit/fuzz.long.test.ts',
  'workflow/simulation.long.test.ts',
  'e2e/rehearsal-table.test.ts',
  'e2e/major-table.test.ts',
  'e2e/major-kept-data.test.ts',
  'e2e/rehearsal.test.ts',
  'e2e/stack.test.ts',
  'e2e/postgres-major.test.ts',
  'e2e/recovery-kit.test.ts',
  'e2e/restic-storage.test.ts',
  'e2e/podman.test.ts',
  'field/compose-commands-during-an-update.test.ts',
  'e2e/approve-in-browser.test.ts',
  'e2e/through-socket-proxy.test.ts',
  'e2e/restore-interrupted.long.test.ts',
  'e2e/restore-after-rollback.test.ts',
  'field/settings-and-files-are-carried-over.test.ts',
  'e2e/postgres-elsewhere.test.ts',
  'e2e/rehearsal-major.test.ts',
  'field/dependents-work-after-the-update.test.ts',
  'e2e/bad-surroundings.test.ts',
  'e2e/new-tag.test.ts',
  'e2e/backup.test.ts',
  'e2e/calm-updates.test.ts',
  'e2e/soak.test.ts',
  'field/rollback-takes-the-data-back.test.ts',
  'e2e/update-verdicts.test.ts',
  'e2e/update-postgres.test.ts',
];

/** On a fresh clone Jest knows no times: `LONGEST` begin first, then `*.long.test.ts`, then all others. */
class LongFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}

function rank({ path }) {
  const place = LONGEST.findIndex((file) => path.endsWith(`/test/${file}`));
  if (place >= 0) return place;
  return path.includes('.long.test.') ? LONGEST.length : LONGEST.length + 1;
}

module.exports = LongFirst;
module.exports.LONGEST = LONGEST;
