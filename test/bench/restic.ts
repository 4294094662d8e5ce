import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createResticStorage } from '../../src/adapters/storage-restic/restic-storage';
import type { BackupStorage } from '../../src/ports/backup-storage';
import { RESTIC } from '../lab/debian-program';
import { peakOf } from './peak-memory';
import { report } from './report';

const MIB = 1024 ** 2;
const DAYS = 10;
/** Blocks of 1 MiB: 2 GiB of files that do not compress, 1 GiB of a dump that does. */
const FILES = 2048;
const DUMP = 1024;

interface Set {
  files: string;
  dump: string;
}

/**
 * Ten daily backups of 3 GiB of which 1 % changes each day, in a restic repository, against the first one alone; the speed of the first,
 * read back as every backup is; and the most memory that restic took. Without an engine: the same storage as in production.
 */
export async function run(): Promise<void> {
  const missing = RESTIC.whyNot();
  if (missing !== null) return console.log(`restic: not measured, because ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-restic-'));
  const set: Set = { files: join(folder, 'files.tar'), dump: join(folder, 'app.dump') };
  const env = { PATH: process.env['PATH'] ?? '', RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: join(folder, 'cache') };
  const repository = join(folder, 'repository');
  const storage = createResticStorage({ repository, env, program: RESTIC.path });
  const memory = watchRestic();
  try {
    make(set);
    const begin = performance.now();
    await backUp(storage, set, 0);
    const stored = (performance.now() - begin) / 1000;
    await readBack(storage, 0);
    const verified = (performance.now() - begin) / 1000;
    const one = bytesOf(repository, env);
    for (let day = 1; day < DAYS; day++) {
      change(set, day);
      await backUp(storage, set, day);
      console.log(`day ${day + 1}: ${(bytesOf(repository, env) / one).toFixed(3)} times the first`);
    }
    const against = `${gib(bytesOf(repository, env))} against ${gib(one)}`;
    const goal = { sign: '≤', bound: 1.3 } as const;
    const what = `${DAYS} daily backups of 3 GiB that change by 1 %, in restic, as a share of the first`;
    report({ what, value: bytesOf(repository, env) / one, unit: 'ratio', goal, against });
    report({ what: 'first backup of 3 GiB to restic', value: 3072 / stored, unit: 'MiB/s', goal: null });
    report({ what: 'the same, and read back', value: 3072 / verified, unit: 'MiB/s', goal: null });
    report({ what: 'peak memory of restic', value: memory.peakMiB(), unit: 'MiB', goal: null });
    report({
      what: 'stored again when 1 % of the rows changes all over a dump, instead of in one place',
      value: await scattered(folder, set, env),
      unit: 'of the dump',
      goal: null,
    });
  } finally {
    memory.stop();
    rmSync(folder, { recursive: true });
  }
}

function make({ files, dump }: Set): void {
  write(
    files,
    Array.from({ length: FILES }, (_, block) => block),
    (block) => noise(`${block}`),
  );
  write(
    dump,
    Array.from({ length: DUMP }, (_, block) => block),
    (block) => rows(`${block}`),
  );
}

/** 1 % of the files, here and there; and 1 % of the rows, which stand together as the newest ones do. */
function change({ files, dump }: Set, day: number): void {
  const each = Array.from({ length: Math.ceil(FILES / 100) }, (_, n) => (n * 97 + day * 211) % FILES);
  write(files, each, (block) => noise(`${block} on day ${day}`));
  const last = Array.from({ length: Math.ceil(DUMP / 100) }, (_, n) => DUMP - 1 - n);
  write(dump, last, (block) => rows(`${block} on day ${day}`));
}

function write(path: string, blocks: readonly number[], content: (block: number) => Buffer): void {
  const file = openSync(path, existsSync(path) ? 'r+' : 'w');
  for (const block of blocks) writeSync(file, content(block), 0, MIB, block * MIB);
  closeSync(file);
}

function noise(seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(MIB));
}

/** As `COPY` writes them: a number, two texts and a time, of which zstd halves most. */
function rows(seed: string): Buffer {
  const lines: string[] = [];
  for (let bytes = 0, n = 0; bytes < MIB; n++) {
    const text = createHash('md5').update(`${seed} ${n}`).digest('hex');
    lines.push(`${n}\t${text}\t${text.slice(0, 8).repeat(16)}\t2026-11-29 16:00:${n % 60}\n`);
    bytes += lines.at(-1)?.length ?? 0;
  }
  return Buffer.from(lines.join('')).subarray(0, MIB);
}

async function backUp(storage: BackupStorage, { files, dump }: Set, day: number): Promise<void> {
  await storage.put(`shop/${day}/01-app.dump`, createReadStream(dump, { highWaterMark: MIB }));
  await storage.put(`shop/${day}/02-files.tar`, createReadStream(files, { highWaterMark: MIB }));
}

async function readBack(storage: BackupStorage, day: number): Promise<void> {
  for (const name of ['01-app.dump', '02-files.tar']) {
    const content = await storage.get(`shop/${day}/${name}`);
    await pipeline(content, createHash('sha256'));
  }
}

/** One row in each 100 of a quarter of the dump: restic stores whole pieces of about 1 MiB. */
async function scattered(folder: string, { dump }: Set, env: Record<string, string>): Promise<number> {
  const repository = join(folder, 'scattered');
  const storage = createResticStorage({ repository, env, program: RESTIC.path });
  const quarter = readFileSync(dump).subarray(0, (DUMP / 4) * MIB);
  await storage.put('shop/0/app.dump', Readable.from([quarter]));
  const one = bytesOf(repository, env);
  for (let at = 0; at + 100 < quarter.length; at += 20_000) quarter.write('another row', at + 40);
  await storage.put('shop/1/app.dump', Readable.from([quarter]));
  return (bytesOf(repository, env) - one) / one;
}

function bytesOf(repository: string, env: Record<string, string>): number {
  const args = ['--repo', repository, 'stats', '--mode', 'raw-data', '--json'];
  const { total_size } = JSON.parse(execFileSync(RESTIC.path, args, { env, encoding: 'utf8' })) as {
    total_size: number;
  };
  return total_size;
}

/** The most memory that a child of this process ever held. */
function watchRestic(): { peakMiB(): number; stop(): void } {
  let peak = 0;
  const looking = setInterval(() => {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
    for (const child of children) peak = Math.max(peak, peakOf(child));
  }, 100);
  return { peakMiB: () => peak, stop: () => clearInterval(looking) };
}

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
