import { createHash } from 'node:crypto';
import supertest from 'supertest';
import { isOpen, UPDATE_STATUSES, type UpdateStatus } from '../../src/domain/update';
import { LIVE_SCRIPT } from '../../src/http/pages/send-page';
import { toneOf } from '../../src/http/pages/words';
import { asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { fillHost, GITEA, linkOf, offered } from '../support/pages-stage';

let http: RunningHttp;
let host: ReturnType<typeof fillHost>;
beforeEach(async () => {
  http = await startHttp();
  host = fillHost(http.store);
});
afterEach(() => http.stop());

const get = (path: string, accept: string) => supertest(http.url).get(path).set(asPerson).set('Accept', accept);
const VERDICTS: readonly UpdateStatus[] = ['succeeded', 'failed', 'rolled_back', 'rollback_failed'];
const BROWSER = 'text/html,application/xhtml+xml,*/*;q=0.8';

test('the same address is JSON for a program and a page for a browser', async () => {
  const path = `/updates/${host.running.id}`;
  for (const accept of ['*/*', 'application/json', 'text/event-stream']) {
    expect((await get(path, accept).expect(200)).body).toMatchObject({ id: host.running.id, status: 'running' });
  }
  expect((await supertest(http.url).get(path).set(asOperator).expect(200)).type).toBe('application/json');
  const page = await get(path, BROWSER).expect(200);
  expect(page.type).toBe('text/html');
  expect(page.headers.vary).toContain('Accept');
  expect((await get('/updates/none', BROWSER).expect(404)).text).toContain('There is no such update');
});

test('while it runs: steps with their state and progress; by script, and without it by loading anew', async () => {
  const { text, headers } = await get(`/updates/${host.running.id}`, BROWSER);
  expect(text).toContain('41.9 of 68.2 MB');
  expect(text).toMatch(/<noscript><meta http-equiv="refresh" content="5"\s*\/?><\/noscript>/);
  expect(text).toContain(`<script>${LIVE_SCRIPT}</script>`);
  const hash = createHash('sha256').update(LIVE_SCRIPT).digest('base64');
  expect(headers['content-security-policy']).toContain(`;script-src 'sha256-${hash}';connect-src 'self'`);
});

test('at its end: the verdict, what to do, and neither script nor refresh', async () => {
  for (const [update, words] of [
    [host.good, 'What is left to do'],
    [host.back, 'host not found in upstream'],
    [host.down, 'Manual action required'],
  ] as const) {
    const { text, headers } = await get(`/updates/${update.id}`, BROWSER).expect(200);
    expect(text).toContain(words);
    expect(text).not.toMatch(/<script|http-equiv="refresh"/);
    expect(headers['content-security-policy']).not.toContain('script-src');
  }
});

test('an update that came to nothing leaves nothing to do: its line of the compose file must stay', async () => {
  const hint = /<div id="followup"[^>]*>/;
  expect((await get(`/updates/${host.waiting.id}`, BROWSER)).text).toContain('What to do afterwards');
  for (const status of ['superseded', 'declined', 'expired', 'failed', 'rolled_back'] as const) {
    http.store.updates.change(host.waiting.id, { status });
    const [place] = hint.exec((await get(`/updates/${host.waiting.id}`, BROWSER)).text) ?? [];
    expect({ status, place }).toEqual({ status, place: expect.stringMatching(/ hidden/) });
  }
});

test('behind a link it is that one update, with no way to the others', async () => {
  const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
  http.store.updates.decide(update.id, {
    status: 'queued',
    reason: 'Approved.',
    now: new Date().toISOString(),
    by: 'link',
    notBefore: null,
    inWindow: false,
  });
  const { text } = await supertest(http.url).get(linkOf(update)).expect(200);
  expect(text).toContain('Queued');
  expect(text).toContain('You can close this page');
  expect(text).not.toContain('href="../');
  for (const { id } of [host.running, host.good, host.waiting]) expect(text).not.toContain(id);
  expect(text).not.toContain(linkOf(update));
});

test('a link to all others is only where / leads to them: a proxy that has something else there says so', async () => {
  const behind = (path: string) => get(path, BROWSER).set('X-Pilot-Root', 'elsewhere');
  const paths = [host.running.id, host.waiting.id, 'none'].map((id) => `/updates/${id}`);
  for (const path of paths) {
    expect((await get(path, BROWSER)).text).toMatch(/href="\.\.\/(#waiting)?"/);
    expect((await behind(path)).text).not.toMatch(/href="\.\.\/(#waiting)?"/);
  }
  expect((await behind(paths[1] ?? '')).text).toContain('with the link in its mail, or on the operator page');
});

test('the script gives each status of an update under way, and each end of a run, the tone that the page has', () => {
  const text = LIVE_SCRIPT;
  const told = new Map(
    [.../TONES = \{(.*?)\}/s.exec(text)![1]!.matchAll(/(\w+): '(\w+)'/g)].map(([, status, tone]) => [status, tone]),
  );
  const followed = UPDATE_STATUSES.filter((status) => isOpen(status) || VERDICTS.includes(status));
  expect([...told.keys()].sort()).toEqual([...followed].sort());
  for (const status of followed) expect(`${status} ${told.get(status)}`).toBe(`${status} ${toneOf(status)}`);
});

test('the script holds nothing that could put markup into a page or end the element that it is in', () => {
  expect(LIVE_SCRIPT).toContain('textContent');
  expect(LIVE_SCRIPT).not.toMatch(/<\/script|<!--/i);
  expect(LIVE_SCRIPT).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(/);
});
