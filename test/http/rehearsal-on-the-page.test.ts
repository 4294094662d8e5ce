import supertest from 'supertest';
import type { Verdict } from '../../src/domain/rehearsal/rehearsal';
import type { Update } from '../../src/domain/update';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { fieldsOf } from '../support/page-form';
import { CONTAINERS, GITEA, linkOf, offered } from '../support/pages-stage';

let http: RunningHttp;
let update: Update;
beforeEach(async () => {
  http = await startHttp({ containers: () => Promise.resolve(CONTAINERS) });
  update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
});
afterEach(() => http.stop());

const withoutTags = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

function rehearsed(verdict: Verdict | null, digest = update.to.digest): void {
  const { rehearsals } = http.store;
  const { id } = rehearsals.insert({ updateId: update.id, digest, mail: null });
  if (verdict === null) return;
  rehearsals.begin(id);
  rehearsals.end(id, verdict);
}

async function page(): Promise<{ whole: string; before: string }> {
  const { text } = await supertest(http.url).get(linkOf(update)).set('Accept', 'text/html').expect(200);
  const main = text.slice(text.indexOf('<main'));
  return { whole: withoutTags(main), before: withoutTags(main.slice(0, main.indexOf('<form'))) };
}

test('a passed one is above the buttons, and all that was measured is in a fold', async () => {
  rehearsed({
    status: 'passed',
    seconds: 41,
    detail: 'Rehearsed on a copy of the backup from 02:00. Counted: 12 rows.',
  });
  const { before, whole } = await page();
  expect(before).toContain('Rehearsal Passed: on a copy of the data, the new version became healthy after 41 s.');
  expect(whole).toContain('Counted: 12 rows.');
});

test.each<[Verdict['status'], string]>([
  ['failed', 'Rehearsal Failed: on a copy of the data, the new version did not become healthy'],
  ['inconclusive', 'Rehearsal Inconclusive: the current version does not become healthy in isolation either'],
  ['skipped', 'Rehearsal Not rehearsed: It is privileged.'],
])('%s is said as that', async (status, words) => {
  rehearsed({ status, seconds: null, detail: 'It is privileged.' });
  const { before, whole } = await page();
  expect(before).toContain(words);
  expect(whole).toContain('It is privileged.');
});

test('one that has not ended, and none at all', async () => {
  expect((await page()).whole).not.toContain('Rehearsal');
  rehearsed(null);
  expect((await page()).before).toContain('Rehearsal Not ended yet: reload the page for the verdict.');
});

test('one of another digest is marked', async () => {
  rehearsed({ status: 'passed', seconds: 1, detail: 'It ran.' }, `sha256:${'e'.repeat(64)}`);
  expect((await page()).before).toContain('The rehearsal tried another digest than the offered one: rehearse again.');
});

test('the operator page shows the same verdict', async () => {
  rehearsed({ status: 'passed', seconds: 41, detail: 'It ran.' });
  const { text } = await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200);
  expect(withoutTags(text)).toContain(
    'Rehearsal Passed: on a copy of the data, the new version became healthy after 41 s.',
  );
});

describe('the button "Rehearse again"', () => {
  const passed: Verdict = { status: 'passed', seconds: 41, detail: 'It ran.' };
  const press = (path: string, fields: Record<string, string>): supertest.Test =>
    supertest(http.url).post(path).type('form').set('Accept', 'text/html').send(fields);
  const queued = (): number => Number(http.store.rehearsals.of(update.id)?.status === 'queued');

  test('is next to the verdict, and not while one is under way', async () => {
    rehearsed(passed);
    expect((await page()).whole).toContain('after 41 s. Rehearse again');
    rehearsed(null);
    expect((await page()).whole).not.toContain('Rehearse again');
  });

  test('requests one by the link, which stays open', async () => {
    rehearsed(passed);
    const link = linkOf(update);
    const { headers } = await press(link, { rehearse: 'again' }).expect(303);
    expect(headers.location).toBe(`..${link}`);
    expect(queued()).toBe(1);
    expect(http.store.rehearsals.of(update.id)?.requestedBy).toBe('link');
    expect(http.store.updates.get(update.id)?.status).toBe('awaiting_approval');
    expect((await page()).before).toContain('Not ended yet');
  });

  test('is not there, and does nothing by the link, where none was made (update.rehearse=off)', async () => {
    expect((await page()).whole).not.toContain('Rehearse again');
    await press(linkOf(update), { rehearse: 'again' }).expect(400);
    expect(http.store.rehearsals.of(update.id)).toBeNull();
  });

  test('does not request a second one while one is under way', async () => {
    rehearsed(null);
    const { id } = http.store.rehearsals.of(update.id) ?? {};
    await press(linkOf(update), { rehearse: 'again' }).expect(303);
    expect(http.store.rehearsals.of(update.id)).toMatchObject({ id, requestedBy: null });
  });

  test('requests one on the page of an update that is queued', async () => {
    rehearsed(passed);
    http.store.updates.change(update.id, { status: 'queued' });
    const path = `/updates/${update.id}`;
    const { text } = await supertest(http.url).get(path).set(asPerson).set('Accept', 'text/html').expect(200);
    expect(withoutTags(text)).toContain('Rehearse again');
    const { headers } = await press('/actions/rehearse', { ...fieldsOf(text, 'rehearse'), back: 'update' })
      .set(asPerson)
      .expect(303);
    expect(headers.location).toBe(`..${path}`);
    expect(queued()).toBe(1);
  });

  test('requests one on the operator page', async () => {
    rehearsed(passed);
    const { text } = await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200);
    const { headers } = await press('/actions/rehearse', fieldsOf(text, 'rehearse')).set(asPerson).expect(303);
    expect(headers.location).toBe('../?done=rehearse');
    expect(queued()).toBe(1);
    expect(http.store.rehearsals.of(update.id)?.requestedBy).toBeNull();
  });

  test('does nothing for another site, without a form token, or once the update runs', async () => {
    rehearsed(passed);
    const link = linkOf(update);
    await press(link, { rehearse: 'again' }).set('Sec-Fetch-Site', 'cross-site').expect(403);
    await press('/actions/rehearse', { id: update.id }).set(asPerson).expect(403);
    await press('/actions/rehearse', { id: update.id }).expect(401);
    http.store.updates.change(update.id, { status: 'declined' });
    await press(link, { rehearse: 'again' }).expect(410);
    expect(queued()).toBe(0);
  });
});
