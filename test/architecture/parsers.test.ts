import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PARSERS } from '../fuzz/parsers';

// A parser of what a stranger wrote has a row in test/fuzz/parsers. Found by name and by what it calls, so that a new one fails here
// until it has a row, or a line below that says why it needs none.
const ROOT = join(__dirname, '../..');
const filesIn = (folder: string): string[] =>
  (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter((file) => /\.tsx?$/.test(file))
    .sort()
    .map((file) => `${folder}/${file}`);
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const TABLE = filesIn('test/fuzz/parsers').map(textOf).join('\n');

/** Exported functions that are named as a parser and read text or bytes. */
const NAMED =
  /^export (?:async )?function ((?:parse|read|split|decode)[A-Z]\w*)\(\w+: (?:string|Buffer|Uint8Array|unknown)\b/gm;
/** Readers of other people's formats. */
const READS = /\bJSON\.parse\(|\bjsonOrUndefined\(|\bparseDocument\(|\bnew X509Certificate\(|[ (]extract\(\)/;

function namedIn(text: string): string[] {
  return [...text.matchAll(NAMED)].map(([, name = '']) => name);
}

/** Files with such a reader: the row of the table that reaches it, or why none does. */
const FILES: Record<string, { row: string } | { own: string }> = {
  'adapters/compose/compose-plugin.ts': { own: 'prints of the Compose plugin of this image' },
  'adapters/docker/docker-engine.ts': { own: 'messages of the engine, which has all rights' },
  'adapters/docker/layer.ts': { own: 'a header of the engine' },
  'adapters/docker/registry/repository.ts': { row: 'answers of a registry' },
  'adapters/docker/registry/credentials.ts': { row: 'registry logins' },
  'adapters/docker/registry/pull.ts': { own: 'lines of the engine' },
  'adapters/docker/socket-proxy/guard/strict.ts': { row: 'requests to the socket proxy' },
  'adapters/docker/socket-proxy/judge-request.ts': { own: 'filters of the query, compared with what diun-pilot sends' },
  'adapters/docker/socket-proxy/socket-proxy.ts': { own: 'answers of the engine' },
  'adapters/docker/wire.ts': { own: 'answers of the engine' },
  'adapters/release-notes/pages.ts': { row: 'pages of releases' },
  'adapters/release-notes/release-notes.ts': { own: 'rows of our database' },
  'adapters/sigstore/bundle.ts': { row: 'signatures' },
  'adapters/sigstore/signature-verifier.ts': { own: 'the trusted root is a file of the operator' },
  'adapters/sigstore/payload.ts': { row: 'signatures' },
  'adapters/sqlite/audit.ts': { own: 'rows of our database' },
  'adapters/sqlite/database.ts': { own: 'rows of our database' },
  'adapters/sqlite/other-updates.ts': { own: 'rows of our database' },
  'adapters/sqlite/outbox.ts': { own: 'rows of our database' },
  'adapters/sqlite/stopped-containers.ts': { own: 'rows of our database' },
  'adapters/sqlite/updates.ts': { own: 'rows of our database' },
  'adapters/storage-restic/snapshots.ts': { row: 'lists of restic' },
  'app.ts': { own: 'our package.json' },
  'backups/manifest.ts': { row: 'manifests of backups' },
  'backups/sources/database-properties.ts': { own: 'JSON that PostgreSQL makes of values' },
  'backups/sources/tar-entries.ts': { row: 'tar' },
  'certificates/find-certificates.ts': { row: 'certificates' },
  'containers/carry-over/copy-files.ts': { own: 'a tar that the engine makes of names' },
  'containers/carry-over/layer-files.ts': { own: 'a tar that the engine makes of names' },
  'decisions/receive-webhook.ts': { row: 'payloads of Diun' },
  'http/request/read-body.ts': { own: 'bodies of requests: http/six-flaws' },
  'lib/json.ts': { own: 'its callers have theirs' },
  'probes/gitea-probe.ts': { own: 'each value of its answer is of a known type' },
  'probes/read-file.ts': { own: 'a tar that the engine makes of names' },
  'rehearsals/rehearse-major.ts': { own: 'JSON that PostgreSQL makes of values' },
  'restores/databases/read-server-state.ts': { own: 'JSON that PostgreSQL makes of values' },
  'updates/fingerprint/read-fingerprint.ts': { own: 'JSON that PostgreSQL makes of values' },
  'updates/major/cluster.ts': { own: 'JSON that PostgreSQL makes of values' },
};

test('every exported parser of text or bytes has a row in the fuzz table', () => {
  const names = filesIn('src').flatMap((file) => namedIn(textOf(file)));
  expect(names.length).toBeGreaterThan(25);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\(|\\b${name}[,\\]]`).test(TABLE))).toEqual([]);
});

test('every file that reads the format of others has a row, or a reason to have none', () => {
  const found = filesIn('src').filter((file) => READS.test(textOf(file)));
  expect(found.map((file) => file.replace('src/', '')).sort()).toEqual(Object.keys(FILES).sort());
  const rows = PARSERS.map(({ name }) => name);
  expect(Object.values(FILES).flatMap((line) => ('row' in line && !rows.includes(line.row) ? [line.row] : []))).toEqual(
    [],
  );
});

test('the check notices a new parser', () => {
  expect(namedIn('export function readThing(text: string): Thing {')).toEqual(['readThing']);
  expect(namedIn('export async function parseAll(body: Buffer, limit = 1): Promise<void> {')).toEqual(['parseAll']);
  expect(
    READS.test('const value = JSON.parse(text);') && READS.test('for (const entry of tar.pipe(extract())) {'),
  ).toBe(true);
});
