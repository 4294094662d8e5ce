import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createResticStorage } from '../../src/adapters/storage-restic/restic-storage';
import type { BackupStorage } from '../../src/ports/backup-storage';

// What the real restic does only when its backend hangs; everything else is tested on it (test/e2e/restic-storage).
const BYTES = 1_000_000;
const SILENCE_MS = 3_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'restic-silence-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A restic that does this for `backup` and for `dump`; after a backup it lists one snapshot. */
function restic({ backup = 'cat > /dev/null', dump = `head -c ${BYTES} /dev/zero` }): BackupStorage {
  const program = join(folder, 'restic');
  const listed = (tags: string) =>
    `[{"id":"0123456789ab","time":"2026-01-05T03:00:00Z","paths":["/a"],"tags":[${tags}]}]`;
  writeFileSync(
    program,
    `#!/bin/sh
case "$*" in
  *snapshots*) if [ -e tagged ]; then echo '${listed(`"diun-pilot","bytes=${BYTES}"`)}'; else echo '${listed('"diun-pilot"')}'; fi ;;
  *backup*) ${backup} ;;
  *tag*) touch tagged ;;
  *dump*) ${dump} ;;
esac
`.replaceAll('tagged', join(folder, 'tagged')),
  );
  chmodSync(program, 0o755);
  const env = { PATH: process.env['PATH'] ?? '' };
  return createResticStorage({ repository: folder, env, program, silenceMs: SILENCE_MS });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS));

async function* inTwo(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(BYTES / 2);
  await pause();
  yield Buffer.alloc(BYTES / 2);
}

test('a source and a reader that are slower than that are waited for', async () => {
  const storage = restic({});
  expect(await storage.put('a', Readable.from(inTwo(), { objectMode: false }))).toEqual({ bytes: BYTES });
  const stored = await storage.get('a');
  await pause();
  expect((await buffer(stored)).length).toBe(BYTES);
});

test('a backend that takes nothing more ends the transfer', async () => {
  const storage = restic({ backup: 'exec sleep 600' });
  const content = Readable.from([Buffer.alloc(BYTES)], { objectMode: false });
  await expect(storage.put('a', content)).rejects.toMatchObject({ code: 'storage_unreachable' });
});

test('a backend that gives nothing more ends the transfer', async () => {
  const storage = restic({ dump: `head -c 1000 /dev/zero; exec sleep 600` });
  await storage.put('a', Readable.from([Buffer.alloc(BYTES)], { objectMode: false }));
  await expect(buffer(await storage.get('a'))).rejects.toMatchObject({ code: 'storage_unreachable' });
});

test('a dump that breaks off gives the reason of restic, whichever of its output and its end comes first', async () => {
  const storage = restic({
    dump: `head -c 1000 /dev/zero; exec >&-; sleep 0.2; echo 'Fatal: ciphertext verification failed' >&2; exit 1`,
  });
  await storage.put('a', Readable.from([Buffer.alloc(BYTES)], { objectMode: false }));
  await expect(buffer(await storage.get('a'))).rejects.toMatchObject({
    message: expect.stringContaining('Fatal: ciphertext verification failed'),
  });
});

test('a restic that gives everything and does not end is ended', async () => {
  const storage = restic({ dump: `head -c ${BYTES} /dev/zero; exec >&-; exec sleep 600` });
  await storage.put('a', Readable.from([Buffer.alloc(BYTES)], { objectMode: false }));
  expect((await buffer(await storage.get('a'))).length).toBe(BYTES);
});

test('what is requested while the tidying begins goes first, and nothing holds a lock beside it', async () => {
  const trace = join(folder, 'trace');
  const traced = (name: string, seconds: number) =>
    `echo ${name} >> ${trace}; sleep ${seconds}; echo end-${name} >> ${trace}`;
  const program = join(folder, 'restic');
  writeFileSync(
    program,
    `#!/bin/sh
case "$*" in
  *snapshots*) ${traced('snapshots', 1)}; echo '[]' ;;
  *prune*) ${traced('prune', 1)} ;;
  *backup*) cat > /dev/null; ${traced('backup', 0)} ;;
esac
`,
  );
  chmodSync(program, 0o755);
  const env = { PATH: process.env['PATH'] ?? '' };
  const storage = createResticStorage({
    repository: folder,
    env,
    program,
    quietMs: 0,
  });
  const tidying = storage.tidy?.(new AbortController().signal);
  // Its snapshot is not listed here, so the put itself fails at its end.
  await storage.put('a', Readable.from([Buffer.alloc(10)])).catch(() => undefined);
  await tidying;
  const lines = readFileSync(trace, 'utf8').trim().split('\n');
  expect(lines.slice(0, 4)).toEqual(['snapshots', 'end-snapshots', 'backup', 'end-backup']);
  expect(lines).not.toContain('prune');
});
