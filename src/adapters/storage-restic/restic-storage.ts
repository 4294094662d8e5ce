import { once } from 'node:events';
import { Readable } from 'node:stream';
import { StorageError } from '../../domain/errors';
import { checkedLength, watchSilence, watchSource } from '../../lib/streams';
import type { BackupStorage } from '../../ports/backup-storage';
import {
  resticStorageError,
  interrupt,
  missesRepository,
  restic,
  startRestic,
  type Ended,
  type Repository,
  type ResticProcess,
} from './run-restic';
import { finishedIn, Prune, snapshots, TAG, unfinishedIn } from './snapshots';

/** No byte moved for so long: the backend hangs. */
const SILENCE_MS = 900_000;
/** restic refuses to store no byte at all; the tag with the size says that there is none. */
const IN_PLACE_OF_NOTHING = '\n';
const HOST = 'diun-pilot';
const QUIET_MS = 300_000;
const PATIENCE = { lockMs: 600_000, againMs: 2_000 };

export interface ResticStorageOptions {
  /** In restic's own syntax, such as `/srv/restic` or `s3:https://host/bucket`; may hold credentials. */
  repository: string;
  /** Password, cache and the backend's own variables. */
  env: Readonly<Record<string, string>>;
  program?: string;
  patience?: Repository['patience'];
  /** How long nothing must have been asked before space is freed. */
  quietMs?: number;
  /** After how much silence of the backend restic is ended. */
  silenceMs?: number;
}

/**
 * Keeps backups in a restic repository: encrypted and deduplicated. Each object is one snapshot with one file, whose path is the key,
 * so that plain restic can read it. A snapshot counts once it has the tag with its size, which it gets when it is whole.
 */
export function createResticStorage(options: ResticStorageOptions): BackupStorage {
  const {
    repository,
    env,
    program = 'restic',
    patience = PATIENCE,
    quietMs = QUIET_MS,
    silenceMs = SILENCE_MS,
  } = options;
  const name = withoutCredentials(repository);
  const repo: Repository = { name, program, patience, silenceMs, env: { ...env, RESTIC_REPOSITORY: repository } };
  const prune = new Prune(repo, quietMs);
  return {
    compresses: true,
    urlOf: (key) => `restic:${name}/${key}`,
    put: (key, content) => prune.before(() => put(repo, key, content)),
    get: (key) => prune.before(() => get(repo, key)),
    list: (prefix) => prune.before(() => listRepository(repo, prefix)),
    delete: (key) => prune.before(() => remove(repo, key, () => prune.wanted())),
    tidy: (signal) => prune.run(signal),
  };
}

async function put(repo: Repository, key: string, content: Readable): Promise<{ bytes: number }> {
  assertKey(key);
  try {
    await makeRepository(repo);
  } catch (error) {
    content.destroy();
    throw error;
  }
  const bytes = await backUp(repo, key, content);
  const all = await snapshots(repo, key);
  const written = unfinishedIn(all).at(-1);
  if (written === undefined)
    throw new StorageError('storage_unreachable', `restic stored ${key}, but does not list it.`);
  await restic(repo, ['tag', '--set', `${TAG},bytes=${bytes}`, written.id], key);
  const older = all.filter(({ id }) => id !== written.id).map(({ id }) => id);
  if (older.length > 0) await restic(repo, ['forget', ...older], key);
  return { bytes };
}

/** Resolves with the number of bytes. An error of the stream rejects as it is; then restic is stopped before it writes a snapshot. */
async function backUp(repo: Repository, key: string, content: Readable): Promise<number> {
  const args = ['backup', '--host', HOST, '--tag', TAG, '--stdin', '--stdin-filename', `/${key}`];
  const running = startRestic(repo, args);
  const { child, ended } = running;
  child.stdout.resume();
  let bytes = 0;
  const silence = watchSilence({
    ms: repo.silenceMs,
    othersAreSlow: () => !child.stdin.writableNeedDrain,
    silent: () => child.kill('SIGKILL'),
  });
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      silence.moved();
      if (!child.stdin.write(chunk) && !(await taken(child, ended))) break;
    }
  } catch (error) {
    await interrupt(running);
    throw error;
  } finally {
    silence.stop();
  }
  child.stdin.end(bytes === 0 ? IN_PLACE_OF_NOTHING : '');
  const { code, stderr } = await ended;
  if (code === 0) return bytes;
  content.destroy();
  throw resticStorageError(repo, { code, stderr }, key);
}

/** False: restic has ended and takes nothing more. */
async function taken(child: ResticProcess, ended: Promise<Ended>): Promise<boolean> {
  return Promise.race([
    once(child.stdin, 'drain').then(
      () => true,
      () => false,
    ),
    ended.then(() => false),
  ]);
}

async function get(repo: Repository, key: string): Promise<Readable> {
  const found = finishedIn(await snapshots(repo, key)).at(-1);
  if (found === undefined)
    throw new StorageError('object_not_found', `${key} is not in the restic repository ${repo.name}.`);
  if (found.bytes === 0) return Readable.from([], { objectMode: false });
  const { child, ended } = startRestic(repo, ['dump', found.id, `/${key}`]);
  child.stdin.end();
  let failed: StorageError | null = null;
  // Its output ends before its reason is known.
  const reason = ended.then((end) => {
    silence.stop();
    if (end.code !== 0) failed = resticStorageError(repo, end, key);
  });
  const content = checkedLength(child.stdout, found.bytes, (cause) => failed ?? asCut(key, cause), reason);
  const silence = watchSource(child.stdout, repo.silenceMs, () => child.kill('SIGKILL'));
  content.on('close', () => child.kill('SIGINT'));
  return content;
}

function asCut(key: string, cause: unknown): StorageError {
  return new StorageError('storage_unreachable', `restic gave back only a part of ${key}.`, { cause });
}

async function listRepository(repo: Repository, prefix: string): Promise<{ key: string; bytes: number }[]> {
  const newest = new Map(finishedIn(await snapshots(repo)).map(({ key, bytes }) => [key, bytes]));
  return [...newest]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, bytes]) => ({ key, bytes }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function remove(repo: Repository, key: string, removed: () => void): Promise<void> {
  const ids = (await snapshots(repo, key)).map(({ id }) => id);
  if (ids.length === 0) return;
  await restic(repo, ['forget', ...ids], key);
  removed();
}

/** Only before something is written: a restore from a wrong address must not create one there. */
async function makeRepository(repo: Repository): Promise<void> {
  const { child, ended } = startRestic(repo, ['cat', 'config', '--no-lock']);
  child.stdin.end();
  child.stdout.resume();
  const { code, stderr } = await ended;
  if (code === 0) return;
  if (!missesRepository(stderr)) throw resticStorageError(repo, { code, stderr }, '');
  await restic(repo, ['init']);
}

/** A path that restic would not give back as it is written leads nowhere. */
function assertKey(key: string): void {
  const fine = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (!fine) throw new StorageError('storage_refused', `Not a key of the backup storage: ${JSON.stringify(key)}`);
}

/** `rest:https://user:password@host/` is for restic alone. A password may contain `@`: the last one ends it. */
function withoutCredentials(repository: string): string {
  return repository.replace(/(\/\/)[^/]*@/, '$1');
}
