import supertest from 'supertest';
import { signApproval } from '../../src/decisions/approval-links';
import { Secret } from '../../src/lib/secret';
import type { Update } from '../../src/domain/update';
import { offerOn, startHttpOn } from '../support/approval-http';
import { API_TOKEN, asOperator, type RunningHttp } from '../support/http-app';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
let http: RunningHttp;
let update: Update;
let link: string;

beforeEach(async () => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  http = await startHttpOn(scene);
  ({ update, link } = await offerOn(scene, 'nginx:stable'));
});
afterEach(async () => {
  await http.stop();
  scene.close();
});

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const open = (path = link) => supertest(http.url).get(path).set('Accept', BROWSER);
const press = (decision: string, fields: Record<string, string> = {}, path = link) =>
  supertest(http.url)
    .post(path)
    .set('Accept', BROWSER)
    .type('form')
    .send({ decision, ...fields });
const now = (): Update => scene.store.updates.get(update.id) as Update;

describe('the page that the link opens', () => {
  test('says the plan and has two buttons', async () => {
    const { text } = await open().expect(200);
    expect(text).toContain('web-nginx-1');
    expect(text).toContain(update.to.digest);
    expect(text).toContain(update.from?.digest);
    for (const words of ['What will be unavailable', 'What can go wrong', 'If it fails', 'The last verified backup']) {
      expect(text).toContain(words);
    }
    expect(text.match(/<button[^>]*name="decision"[^>]*value="(approve|decline)"/g)).toHaveLength(2);
    expect(text).toContain('id="decline"');
  });

  test('runs nothing, fetches nothing, is kept nowhere, sets no cookie and gives no address away', async () => {
    const { headers, text } = await open();
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none';style-src 'sha256-[A-Za-z0-9+/=]+';form-action 'self';frame-ancestors 'none';base-uri 'none'$/,
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
      'x-content-type-options': 'nosniff',
    });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(text).not.toMatch(/<script|<img|<link|<iframe/);
    // The form goes to the page's own address, which stands nowhere in the page.
    expect(text).not.toContain(link);
  });

  test('changes nothing, however often it is fetched by GET and HEAD', async () => {
    const before = [scene.updates(), scene.mails().length, scene.engine.lines()];
    for (let scan = 0; scan < 250; scan++) {
      await Promise.all([open(), open(), supertest(http.url).head(link), supertest(http.url).head(link)]);
    }
    expect([scene.updates(), scene.mails().length, scene.engine.lines()]).toEqual(before);
  });
});

describe('the buttons', () => {
  test('approve queues the update and leads to its live page', async () => {
    const { headers } = await press('approve').expect(303);
    expect(headers.location).toBe(`..${link}`);
    expect(now()).toMatchObject({ status: 'queued', approval: { status: 'approved' } });
    const live = await open().expect(200);
    expect(live.text).toContain('Update of web-nginx-1');
    expect(live.text).not.toContain('value="approve"');
    await scene.settle();
    expect((await open().expect(200)).text).toContain('Succeeded');
  });

  test('decline leaves everything as it is, and is remembered for that digest', async () => {
    const { text } = await press('decline').expect(200);
    expect(text).toContain('stays as it is');
    expect(now().status).toBe('declined');
    expect(scene.store.refusals.all()).toMatchObject([{ digest: update.to.digest, why: 'declined' }]);
    expect((await open().expect(410)).text).toContain('was declined');
  });

  test('count once, of a hundred at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => press('approve')));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([303, ...Array<number>(99).fill(410)]);
    expect(scene.updates().filter(({ status }) => status === 'queued')).toHaveLength(1);
    expect(answers.find(({ status }) => status === 410)?.text).toContain('This link was used');
  });

  test('another decision is refused, and nothing is decided', async () => {
    await press('maybe').expect(400);
    await supertest(http.url).post(link).set('Accept', BROWSER).send({ decision: 'approve' }).expect(400);
    await press('approve', { filler: 'x'.repeat(5_000) }).expect(413);
    const both = supertest(http.url).post(link).set('Accept', BROWSER).type('form');
    expect((await both.send('decision=approve&decision=decline').expect(400)).text).toContain('comes twice');
    expect(now().status).toBe('awaiting_approval');
  });

  test('what is no field of the form counts for nothing, also twice', async () => {
    const asked = supertest(http.url).post(link).set('Accept', BROWSER).type('form');
    await asked.send('utm=1&decision=decline&utm=2').expect(200);
    expect(now().status).toBe('declined');
  });

  test('too many of one link are held back', async () => {
    const answers = [];
    for (let n = 0; n < 125; n++) answers.push((await press('maybe')).status);
    expect(answers.slice(0, 120)).toEqual(Array(120).fill(400));
    expect(answers.at(-1)).toBe(429);
  });

  test.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a neighbour of the same domain', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin', { Origin: 'https://evil.example' }],
    ['an origin that is none', { Origin: 'evil' }],
    ['the public host by another scheme', { Origin: 'https://localhost:8080' }],
    ['the public host on another port', { Origin: 'http://localhost:8081' }],
    ['the public host with a path', { Origin: 'http://localhost:8080/' }],
    ['the host of the request, which is not the public one', { Host: 'pilot.lan', Origin: 'http://pilot.lan' }],
  ])('of %s are refused', async (_from, headers) => {
    const { text } = await press('approve').set(headers).expect(403);
    expect(text).toContain('another site');
    expect(now().status).toBe('awaiting_approval');
  });

  test.each([
    ['our own page, which sends no referrer', { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' }],
    ['our own page over plain http', { Origin: 'null' }],
    ['the public address, behind a proxy', { Origin: 'http://localhost:8080' }],
  ])('of %s count', async (_from, headers) => {
    await press('approve').set(headers).expect(303);
  });
});

describe('a container that holds data', () => {
  beforeEach(async () => {
    scene.engine.addImage({ reference: 'httpd:2' });
    scene.engine.runContainer(
      nginx({
        name: 'store',
        image: 'httpd:2',
        ports: {},
        labels: { 'update.policy': 'manual', 'backup.kind': 'files', 'backup.paths': '/data' },
      }),
    );
    ({ update, link } = await offerOn(scene, 'httpd:2'));
  });

  test('is approved only with its name typed', async () => {
    expect((await open()).text).toMatch(/<input[^>]*name="name"/);
    for (const name of ['', 'Store', 'web-nginx-1']) {
      const { text } = await press('approve', { name }).expect(422);
      expect(text).toContain('Nothing was decided');
      expect(text).toContain('value="approve"');
    }
    expect(now().status).toBe('awaiting_approval');
    await press('approve', { name: ' store ' }).expect(303);
    expect(now().status).toBe('queued');
  });

  test('is declined without it', async () => {
    await press('decline').expect(200);
    expect(now().status).toBe('declined');
  });
});

describe('a link that is not open', () => {
  test('expired: says so, and what to do', async () => {
    await scene.clock.advance(73 * 3_600_000);
    for (const { text } of [await open().expect(410), await press('approve').expect(410)]) {
      expect(text).toContain('has expired');
      expect(text).toContain('What to do now');
    }
    expect(scene.engine.lines()).toEqual([]);
  });

  test('superseded: says so, and tells nothing of what came', async () => {
    const newer = await offerOn(scene, 'nginx:stable');
    const { text } = await open().expect(410);
    expect(text).toContain('no longer valid');
    expect(text).not.toContain(newer.update.to.digest);
    expect(text).not.toContain(newer.link.slice('/approvals/'.length));
    await press('approve').expect(410);
    expect(scene.updates().filter(({ status }) => status === 'queued')).toEqual([]);
  });

  test('a tag that moved before the button: nothing is applied', async () => {
    scene.engine.publish('nginx:stable');
    expect((await press('approve').expect(409)).text).toContain('has changed');
    expect(now().status).toBe('superseded');
  });

  test('altered, foreign, weird or endless: the same clean page', async () => {
    const token = link.slice('/approvals/'.length);
    const foreign = signApproval([new Secret('another')], {
      update: update.id,
      container: 'web-nginx-1',
      from: null,
      to: update.to.digest ?? '',
      expiresAt: '2030-01-01T00:00:00.000Z',
    });
    const tokens = ['x', '%00', '..%2f..%2fetc', '%E0%A4%A', '<script>', '💥', `${token}A`, token.slice(1), foreign];
    const pages = [];
    for (const each of [
      ...tokens.map((text) => (text.includes('%') ? text : encodeURIComponent(text))),
      'x'.repeat(10_000),
    ]) {
      pages.push((await open(`/approvals/${each}`).expect(404)).type);
      await press('approve', {}, `/approvals/${each}`).expect(404);
    }
    expect(new Set(pages)).toEqual(new Set(['text/html']));
    expect((await open('/approvals/x')).text).not.toContain('web-nginx-1');
    expect(now().status).toBe('awaiting_approval');
  });

  test('wrong ones are held back after a hundred, and a right one opens all the same', async () => {
    const statuses = [];
    for (let n = 0; n < 102; n++) statuses.push((await open(`/approvals/guess-${n}`)).status);
    expect(statuses.slice(0, 100)).toEqual(Array(100).fill(404));
    expect(statuses.slice(-2)).toEqual([429, 429]);
    await open().expect(200);
  });

  test('a program that asks for JSON gets the code', async () => {
    await press('decline');
    const { body } = await supertest(http.url).get(link).set('Accept', 'application/json').expect(410);
    expect(body.error).toMatchObject({ code: 'link_closed', details: { why: 'declined' } });
    const unknown = await supertest(http.url).get('/approvals/x').set('Accept', 'application/json').expect(404);
    expect(unknown.body.error.code).toBe('not_found');
  });
});

test('no token is in a log line, a metric, a list or the page of another update', async () => {
  const token = link.slice('/approvals/'.length);
  await open();
  await open(`/approvals/${token}x`);
  await supertest(http.url).put(link);
  await press('approve');
  await open(`${link}/events/none`);
  await scene.settle();
  await supertest(http.url).get(`${link}/events`);
  const said = [JSON.stringify(scene.log)];
  for (const path of ['/metrics', '/updates', `/updates/${update.id}`, '/openapi.json']) {
    said.push((await supertest(http.url).get(path).set(asOperator)).text);
  }
  for (const path of ['/', `/updates/${update.id}`, link]) said.push((await open(path).set(asOperator)).text);
  for (const text of said) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.split('.')[1]);
    expect(text).not.toContain(API_TOKEN);
  }
  expect(scene.log.filter(({ route }) => route === '/approvals/:token').length).toBeGreaterThan(2);
});
