import { createReleaseNotes, type ReleaseNotesOptions } from '../../src/adapters/release-notes/release-notes';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import type { Release } from '../../src/domain/notes/release-notes';
import { type NotesSource, readSource } from '../../src/domain/notes/source';
import { systemClock } from '../../src/lib/clock';
import { Secret } from '../../src/lib/secret';
import type { ReleaseNotesReader } from '../../src/ports/release-notes';
import type { Store } from '../../src/ports/store';
import { startForge, type ForgeServer } from '../support/forge-server';

jest.setTimeout(120_000);

// The text, the address and the forge are strangers' choice: hosts, redirects, size and time are bounded.
let forge: ForgeServer;
let store: Store;
let now: Date;
beforeEach(() => {
  now = new Date('2026-01-05T03:00:00Z');
  store = createSqliteStore({ path: ':memory:', clock: systemClock });
});
afterEach(async () => {
  store.close();
  await forge?.close();
});

const releases = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ tag: `v1.${count - at}.0`, text: `Notes of ${count - at}` }));
const sourceOf = (address: string): NotesSource => readSource(address) as NotesSource;
function reader(options: Partial<ReleaseNotesOptions> = {}): ReleaseNotesReader {
  const hosts = [{ host: '127.0.0.1', port: forge.port }];
  return createReleaseNotes({ hosts, tokens: new Map(), cache: store.notesCache, now: () => now, ...options });
}
const all = () => false;
async function tagsOf(
  from: ReleaseNotesReader,
  address = forge.project,
  isEnough: (read: readonly Release[]) => boolean = all,
): Promise<string[]> {
  const { releases: read } = await from.read(sourceOf(address), isEnough, new AbortController().signal);
  return read.map(({ tag }) => tag);
}
const later = (minutes: number): Date => (now = new Date(now.getTime() + minutes * 60_000));

describe.each(['github', 'gitlab', 'gitea'] as const)('%s', (kind) => {
  test('every page is read, and drafts are left out', async () => {
    forge = await startForge(kind, [{ tag: 'v9', draft: true }, ...releases(45)]);
    const tags = await tagsOf(reader());
    expect(tags).toHaveLength(45);
    expect([tags[0], tags.at(-1)]).toEqual(['v1.45.0', 'v1.1.0']);
    expect(forge.requests.filter(({ url }) => /[?&]page=/.test(url)).length).toBeGreaterThanOrEqual(3);
  });

  test('no page is read that is not needed', async () => {
    forge = await startForge(kind, releases(45));
    const tags = await tagsOf(reader(), forge.project, (read) => read.some(({ tag }) => tag === 'v1.30.0'));
    expect(tags).toHaveLength(20);
  });

  test('text, name and address are read; control characters are not', async () => {
    forge = await startForge(kind, [{ tag: 'v1', name: 'One\u202e', text: 'a\u0007b\r\n\tc', prerelease: true }]);
    const { releases: read } = await reader().read(sourceOf(forge.project), all, new AbortController().signal);
    expect(read).toEqual([
      { tag: 'v1', name: 'One', text: 'ab\n  c', url: expect.stringContaining('v1'), prerelease: kind !== 'gitlab' },
    ]);
  });

  test('an answer that is confirmed by its ETag is not sent again', async () => {
    forge = await startForge(kind, releases(3));
    const from = reader();
    await tagsOf(from);
    const asked = forge.requests.length;
    await tagsOf(from);
    expect(forge.requests).toHaveLength(asked);
    later(6);
    expect(await tagsOf(from)).toHaveLength(3);
    expect(forge.requests.at(-1)?.headers['if-none-match']).toMatch(/^W\//);
    later(6);
    forge.releases.unshift({ tag: 'v1.4.0' });
    expect(await tagsOf(from)).toHaveLength(4);
  });
});

test('one that does not know the project is not the last that is asked', async () => {
  forge = await startForge('gitlab', releases(1));
  expect(await tagsOf(reader())).toEqual(['v1.1.0']);
  expect(forge.requests.map(({ url }) => url.split('?')[0])).toEqual([
    '/api/v1/repos/team/app/releases',
    '/api/v4/projects/team%2Fapp/releases',
  ]);
});

test('without a Link header the next page is asked for while pages are full', async () => {
  forge = await startForge('gitea', releases(25));
  forge.instead = (path) => {
    const page = Number(new URL(path, 'http://x').searchParams.get('page'));
    const shown = forge.releases.slice((page - 1) * 20, page * 20).map(({ tag }) => ({ tag_name: tag }));
    return { status: 200, body: JSON.stringify(shown) };
  };
  expect(await tagsOf(reader())).toHaveLength(25);
});

test('a project with very many releases ends at a page, and says so', async () => {
  forge = await startForge('gitea', releases(400));
  const read = await reader().read(sourceOf(forge.project), all, new AbortController().signal);
  expect(read.releases).toHaveLength(200);
  expect(read.problem).toBe('Only the newest 200 releases were read.');
});

test('large pages are asked for in a smaller size, and 10 MB are not read', async () => {
  forge = await startForge(
    'gitea',
    releases(6).map((each) => ({ ...each, text: 'x'.repeat(200_000) })),
  );
  expect(await tagsOf(reader())).toHaveLength(6);
  forge.releases = [{ tag: 'v2.0.0', text: 'x'.repeat(10_000_000) }];
  later(6);
  await expect(tagsOf(reader())).rejects.toThrow(/is not read: it is larger than 2 MiB/);
});

test.each([
  ['429', { status: 429, headers: { 'Retry-After': '60' } }],
  ['403 of GitHub', { status: 403, headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1767582060' } }],
])('a limit (%s) is kept: the host is not asked again before its time', async (_, answer) => {
  forge = await startForge('github', releases(1));
  forge.instead = () => answer;
  const from = reader();
  await expect(tagsOf(from)).rejects.toThrow(/limits requests .* a token in PILOT_NOTES_TOKENS raises the limit/);
  await expect(tagsOf(from)).rejects.toThrow(/limits requests/);
  expect(forge.requests).toHaveLength(1);
  forge.instead = null;
  later(2);
  expect(await tagsOf(from)).toEqual(['v1.1.0']);
});

test('a forge that hangs ends within its time, and is left alone for a while', async () => {
  forge = await startForge('gitea', releases(1));
  forge.instead = () => 'hang';
  const from = reader({ withinMs: 300 });
  await expect(tagsOf(from)).rejects.toThrow(/does not answer \(no answer in time\)/);
  const asked = forge.requests.length;
  await expect(tagsOf(from)).rejects.toThrow(/does not answer/);
  expect(forge.requests).toHaveLength(asked);
});

test('a signal ends it at once', async () => {
  forge = await startForge('gitea', releases(1));
  forge.instead = () => 'hang';
  const end = new AbortController();
  const reading = reader().read(sourceOf(forge.project), all, end.signal);
  setTimeout(() => end.abort(), 200);
  await expect(reading).rejects.toThrow(/no answer in time/);
});

test.each([
  ['a loop', (path: string) => path, /redirects .* do not end/],
  ['a private address', () => 'https://10.0.0.1/x', /10\.0\.0\.1 is not a host from which release notes may be read/],
  ['another port', () => 'http://127.0.0.1:1/x', /list 127\.0\.0\.1:1 in PILOT_NOTES_HOSTS/],
  ['another scheme', () => 'file:///etc/passwd', /does not use TLS/],
  ['a public forge without TLS', () => 'http://github.com/a', /does not use TLS/],
])('a redirect to %s is not followed', async (_, location, why) => {
  forge = await startForge('github', releases(1));
  forge.instead = (path) => ({ status: 302, headers: { Location: location(path) } });
  await expect(tagsOf(reader())).rejects.toThrow(why);
});

test('a redirect on the same host is followed: the project was renamed', async () => {
  forge = await startForge('github', releases(2));
  forge.instead = (path) =>
    path.startsWith('/repos/old')
      ? { status: 301, headers: { Location: path.replace('/repos/old/app', '/repos/team/app') } }
      : (undefined as never);
  expect(await tagsOf(reader(), `http://${forge.host}/repos/old/app`)).toHaveLength(2);
});

test('a public forge whose name leads to a private address is not asked (DNS rebinding)', async () => {
  forge = await startForge('github');
  const resolve: ReleaseNotesOptions['resolve'] = (_host, _options, done) =>
    done(null, [
      { address: '140.82.121.6', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]);
  await expect(tagsOf(reader({ resolve }), 'https://github.com/team/app')).rejects.toThrow(
    /api\.github\.com leads to 127\.0\.0\.1, which is not on the public internet/,
  );
});

test('a host that is not listed is not asked, and the next page never leads to another', async () => {
  forge = await startForge('gitea', releases(1));
  const unlisted = reader({ hosts: [] });
  expect(unlisted.whyNotAllowed(sourceOf(forge.project))).toMatch(/list 127\.0\.0\.1:\d+ in PILOT_NOTES_HOSTS/);
  await expect(tagsOf(unlisted)).rejects.toThrow(/PILOT_NOTES_HOSTS/);
  expect(forge.requests).toEqual([]);
  forge.instead = () => ({
    status: 200,
    headers: { Link: '<https://evil.example/x?page=2>; rel="next"' },
    body: '[{"tag_name":"v1"}]',
  });
  expect(await tagsOf(reader())).toEqual(['v1']);
});

test('a token goes to its host only, and is in no message', async () => {
  forge = await startForge('gitea', releases(1));
  const other = await startForge('gitea', releases(1));
  const hosts = [forge, other].map(({ port }) => ({ host: '127.0.0.1', port }));
  const tokens = new Map([[forge.host, new Secret('s3cret-token')]]);
  const from = reader({ hosts, tokens });
  await tagsOf(from);
  await tagsOf(from, other.project);
  expect(forge.requests[0]?.headers.authorization).toBe('token s3cret-token');
  expect(other.requests[0]?.headers.authorization).toBeUndefined();
  later(6);
  forge.instead = () => ({ status: 302, headers: { Location: `${other.project}/elsewhere` } });
  await expect(tagsOf(from)).rejects.toThrow();
  expect(other.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
  forge.instead = () => ({ status: 401, body: 's3cret-token' });
  const error = await tagsOf(from).catch((thrown: unknown) => thrown as Error);
  expect(String(error)).toMatch(/refuses the request \(401\)\. Check its token in PILOT_NOTES_TOKENS/);
  expect(JSON.stringify(error) + String(error)).not.toContain('s3cret-token');
  await other.close();
});

test.each([
  ['HTML', '<!doctype html><p>Sign in</p>'],
  ['no list', '{"message":"hello"}'],
  ['nothing', ''],
])('%s in place of a list is not taken for one', async (_, body) => {
  forge = await startForge('gitea');
  forge.instead = () => ({ status: 200, body });
  await expect(tagsOf(reader())).rejects.toThrow(/returned no list of releases/);
});

test('a changelog is read by its headings', async () => {
  forge = await startForge('gitea');
  forge.instead = () => ({ status: 200, body: '# Changes\n\n## 1.2.0\nB\n\n## 1.1.0\nA\n' });
  expect(await tagsOf(reader(), `http://${forge.host}/team/app/raw/branch/main/CHANGELOG.md`)).toEqual([
    '1.2.0',
    '1.1.0',
  ]);
});

test('kept answers are limited in number and size, the oldest go first', () => {
  const { notesCache } = store;
  const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  for (let each = 0; each < 205; each++)
    notesCache.put(`https://example.org/${each}`, { etag: null, content: 'x', at: at(each) });
  expect(notesCache.get('https://example.org/4')).toBeNull();
  expect(notesCache.get('https://example.org/5')).not.toBeNull();
  notesCache.put('https://example.org/large', { etag: '"a"', content: 'x'.repeat(16 * 1024 * 1024 - 50), at: at(300) });
  expect(notesCache.get('https://example.org/large')?.etag).toBe('"a"');
  expect(notesCache.get('https://example.org/150')).toBeNull();
  expect(notesCache.get('https://example.org/204')).not.toBeNull();
});

test('each project that is read counts once, as read or as failed', async () => {
  forge = await startForge('github', releases(45));
  const from = reader();
  await tagsOf(from);
  expect(from.fetches()).toEqual({ ok: 1, failed: 0 });
  await expect(tagsOf(from, `${forge.project}-unknown`)).rejects.toThrow();
  expect(from.fetches()).toEqual({ ok: 1, failed: 1 });
});
