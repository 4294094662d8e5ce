import { type BackupItem, type BackupRecord, scopeName } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Logger, Progress } from '../lib/logger';
import type { Secret } from '../lib/secret';
import type { BackupStorage } from '../ports/backup-storage';
import type { Engine } from '../ports/engine';
import type { Store } from '../ports/store';
import { asReadNow } from '../services/read-targets';
import { asBackupError, type ItemSource } from './sources/item-source';
import { itemKey, manifestKey, setFolder } from './backup-set';
import { filesOf } from './sources/files-source';
import { databasesOf } from './sources/postgres-source';
import { storeItem, verifyItem } from './store-item';
import { writeManifest } from './manifest';

export interface BackupDeps {
  engine: Engine;
  storage: BackupStorage;
  store: Pick<Store, 'backups' | 'transaction'>;
  clock: Clock;
  logger: Logger;
  /** The first signs the manifest. */
  approvalSecrets: readonly Secret[];
  /** The progress as text, with the bytes so far: for the journal. Called every 8 MiB. */
  onProgress: Progress;
  /** Called in the transaction that records a failure, so that its mail is written with it. */
  onFailed?: (record: BackupRecord) => void;
  /** Called in the transaction that records the verified success. */
  onSucceeded?: (record: BackupRecord) => void;
}

export interface BackupRequest {
  record: BackupRecord;
  /** `membersOf` the record's place (backup-set). */
  members: Container[];
  /** Whether the caller has stopped the application, so that rows and files belong together. */
  quiesced: boolean;
  /** Called once all is read: false if a stopped container was started in the meantime, so that nothing untrue is recorded. */
  stillQuiesced?: () => Promise<boolean>;
}

/** One backup while it is taken. */
interface BackupRun extends BackupDeps, BackupRequest {
  folder: string;
  /** Every key that may exist by now, in the order of writing. */
  keys: string[];
}

/**
 * Takes one backup set: every database, then every file, each read to its end on its way and again from the storage, the
 * manifest last; resolves with the record as succeeded. A set without a manifest is not a backup.
 *
 * Rejects with `backup_failed`, `backup_not_verified`, `storage_full`, `storage_refused` or `storage_unreachable`, and
 * with `engine_unreachable` when the engine no longer answers; the record is then failed with the same code and words,
 * and what was stored is deleted.
 */
export async function takeBackup(deps: BackupDeps, request: BackupRequest): Promise<BackupRecord> {
  const run = startBackup(deps, request);
  try {
    const sources = await findSources(run);
    const items = await storeAll(run, sources);
    await concludeWithManifest(run, items);
    return succeed(run, items);
  } catch (error) {
    await deleteWhatWasStored(run);
    throw fail(run, asBackupError(error));
  }
}

function startBackup(deps: BackupDeps, request: BackupRequest): BackupRun {
  const now = deps.clock.now();
  const started = { status: 'running', startedAt: now.toISOString(), quiesced: request.quiesced } as const;
  const record = deps.store.backups.change(request.record.id, started);
  const logger = deps.logger.child({ backup: record.id, project: record.project });
  logger.info('backup started', { members: request.members.map((member) => member.name) });
  return { ...deps, ...request, record, logger, folder: setFolder(scopeName(record), now, record.id), keys: [] };
}

async function findSources(run: BackupRun): Promise<ItemSource[]> {
  const sources: ItemSource[] = [];
  const compress = run.storage.compresses !== true;
  for (const each of run.members) {
    const member = await asReadNow(run.engine, each);
    const backup = member.labels.backup;
    if (backup?.kind === 'postgres') sources.push(...(await databasesOf(run.engine, member, { compress })));
    if (backup?.kind === 'files') sources.push(...filesOf(run.engine, member, backup.paths));
  }
  if (sources.length > 0) return compress ? sources : sources.map((source) => ({ ...source, compression: 'none' }));
  throw new PilotError(
    'backup_failed',
    `There is nothing to back up for ${scopeName(run.record)}: no container or service of it has the label backup.kind.`,
  );
}

/** Each is read back while the next is written. Nothing is in progress once this resolves or rejects. */
async function storeAll(run: BackupRun, sources: ItemSource[]): Promise<BackupItem[]> {
  const items: BackupItem[] = [];
  let reading = Promise.resolve();
  let damaged = false;
  try {
    for (const source of sources) {
      const item = await storeOne(run, source, items.length + 1);
      items.push(item);
      reading = reading.then(() => readBack(run, source, item));
      reading.catch(() => (damaged = true));
      if (damaged) break;
    }
    if (!damaged) await lookWhoRuns(run);
  } finally {
    await Promise.allSettled([reading]);
  }
  await reading;
  return items;
}

async function storeOne(run: BackupRun, source: ItemSource, number: number): Promise<BackupItem> {
  const { container, kind, name, compression } = source;
  const image = { reference: container.reference, imageId: container.imageId };
  const key = itemKey(run.folder, number, { container: container.name, kind, name, compression });
  run.keys.push(key);
  const sent = await storeItem(run, source, key);
  const described = source.database === undefined ? {} : { database: source.database };
  run.logger.info('stored', { item: source.title, key, bytes: sent.bytes, verified: sent.verified });
  const of = { container: container.name, service: container.service, image };
  return { ...of, kind, name, key, compression, ...described, ...sent };
}

async function readBack(run: BackupRun, { title, advice }: ItemSource, item: BackupItem): Promise<void> {
  await verifyItem(run, { title, advice }, item);
  run.logger.info('read back', { item: title, key: item.key });
}

async function lookWhoRuns(run: BackupRun): Promise<void> {
  if (!run.quiesced || run.stillQuiesced === undefined || (await run.stillQuiesced())) return;
  run.quiesced = false;
  run.record = run.store.backups.change(run.record.id, { quiesced: false });
}

async function concludeWithManifest(run: BackupRun, items: BackupItem[]): Promise<void> {
  const { id, project, createdAt, reason, updateId } = run.record;
  const { quiesced } = run;
  run.keys.push(manifestKey(run.folder));
  const manifest = { format: 1, id, project, createdAt, reason, updateId, quiesced, items } as const;
  await writeManifest(run.storage, run.folder, manifest, run.approvalSecrets);
}

function succeed(run: BackupRun, items: BackupItem[]): BackupRecord {
  const now = run.clock.now().toISOString();
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const url = run.storage.urlOf(run.folder);
  run.logger.info('backup succeeded', { url, bytes, items: items.length });
  const ended = { status: 'succeeded', url, bytes, items, verifiedAt: now, finishedAt: now } as const;
  return run.store.transaction(() => {
    const record = run.store.backups.change(run.record.id, ended);
    run.onSucceeded?.(record);
    return record;
  });
}

function fail(run: BackupRun, error: PilotError): PilotError {
  run.logger.error('backup failed', { code: error.code, reason: error.message });
  run.store.transaction(() => {
    const failed = run.store.backups.change(run.record.id, {
      status: 'failed',
      finishedAt: run.clock.now().toISOString(),
      error: { code: error.code, message: error.message },
    });
    run.onFailed?.(failed);
  });
  return error;
}

/** The manifest goes first: at no moment is there one whose objects are gone. */
async function deleteWhatWasStored(run: BackupRun): Promise<void> {
  for (const key of run.keys.toReversed()) {
    try {
      await run.storage.delete(key);
    } catch (error) {
      run.logger.warn('an object of the failed backup could not be deleted', { key, reason: messageOf(error) });
      if (codeOf(error) === 'storage_unreachable') return; // nor can the others, and each would take its time
    }
  }
}
