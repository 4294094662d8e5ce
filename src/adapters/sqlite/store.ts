import type { Clock } from '../../lib/clock';
import type { Store } from '../../ports/store';
import { createAudit } from './audit';
import { createBackups } from './backups';
import { createCertificates } from './certificates';
import { createChannels } from './channel-deliveries';
import { openDatabase, schemaVersion } from './database';
import { createIncidents } from './incidents';
import { createInbox } from './inbox';
import { createOutbox } from './outbox';
import { createRefusals } from './refusals';
import { createDisarmed, createKeptContainers } from './stopped-containers';
import { createSoaks } from './soaks/soaks';
import { createNotices, createTimers } from './timers';
import { createNotesCache, createNotesTexts } from './release-notes';
import { createRehearsals } from './rehearsals/rehearsals';
import { createRenewals } from './renewals';
import { createReplacedImages } from './replaced-images';
import { createRestores } from './restores';
import { createUpdates } from './updates';

/** `path`: the database file, or `:memory:`. */
export function createSqliteStore({ path, clock }: { path: string; clock: Clock }): Store {
  const database = openDatabase(path);
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
    soaks: createSoaks(database, clock),
    check: () => {
      database.transaction(() => database.pragma(`user_version = ${schemaVersion(database)}`)).immediate();
    },
    close: () => {
      database.close();
    },
  };
}
