import type { Clock } from '../../lib/clock';
import type { Refusal, Refusals, Store } from '../../ports/store';
import { createAudit } from './audit';
import { createBackups, createRestores } from './backups';
import { createCertificates, createRenewals } from './certificates';
import { type Database, openDatabase, schemaVersion } from './database';
import { createInbox } from './inbox';
import { createIncidents, createNotices, createTimers, endWaits } from './timers';
import { createChannels, createOutbox } from './outbox';
import { createRehearsals } from './rehearsals';
import { createNotesCache, createNotesTexts } from './release-notes';
import { createReplacedImages } from './replaced-images';
import { createSoaks } from './soaks';
import { createDisarmed, createKeptContainers, createKeptData } from './stopped-containers';
import { createUpdates } from './updates';

/** `path`: the database file, or `:memory:`. */
export function createSqliteStore({ path, clock }: { path: string; clock: Clock }): Store {
  return storeIn(openDatabase(path), clock);
}

/** Owns the database: `close` closes it. */
export function storeIn(database: Database, clock: Clock): Store {
  const audit = createAudit(database, clock);
  return {
    transaction: (work) => database.transaction(work).immediate(),
    inbox: createInbox(database, clock),
    updates: createUpdates(database, clock, audit),
    refusals: createRefusals(database),
    outbox: createOutbox(database, clock),
    channels: createChannels(database, clock),
    audit,
    replacedImages: createReplacedImages(database),
    notesCache: createNotesCache(database),
    notesTexts: createNotesTexts(database),
    backups: createBackups(database, clock),
    restores: createRestores(database, clock, audit),
    rehearsals: createRehearsals(database, clock),
    timers: createTimers(database, clock),
    notices: createNotices(database, clock),
    renewals: createRenewals(database, clock),
    certificates: createCertificates(database, clock),
    incidents: createIncidents(database, clock),
    disarmed: createDisarmed(database, clock),
    keptContainers: createKeptContainers(database),
    keptData: createKeptData(database),
    soaks: createSoaks(database, clock),
    clockWasAhead: () => endWaits(database, clock),
    check: () => {
      database.transaction(() => database.pragma(`user_version = ${schemaVersion(database)}`)).immediate();
    },
    close: () => {
      database.close();
    },
  };
}

interface Row {
  container: string;
  digest: string;
  why: Refusal['why'];
  update_id: string;
  at: string;
}

function createRefusals(database: Database): Refusals {
  return {
    add: (refusal) => {
      database
        .prepare(
          `INSERT OR REPLACE INTO refusals (container, digest, why, update_id, at)
           VALUES (@container, @digest, @why, @updateId, @at)`,
        )
        .run(refusal);
    },
    find: (container, digest) => {
      const row = database
        .prepare<[string, string], Row>('SELECT * FROM refusals WHERE container = ? AND digest = ?')
        .get(container, digest);
      return row ? toRefusal(row) : null;
    },
    remove: (container, digest) => {
      database.prepare('DELETE FROM refusals WHERE container = ? AND digest = ?').run(container, digest);
    },
    all: () => database.prepare<[], Row>('SELECT * FROM refusals ORDER BY at DESC').all().map(toRefusal),
  };
}

function toRefusal(row: Row): Refusal {
  return { container: row.container, digest: row.digest, why: row.why, updateId: row.update_id, at: row.at };
}
