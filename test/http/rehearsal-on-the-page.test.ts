import supertest from 'supertest';
import type { Verdict } from '../../src/domain/rehearsal/rehearsal';
import type { Update } from '../../src/domain/update';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';
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
  expect(before).toContain('Rehearsal Passed: on a copy of the data the new version became healthy after 41 s.');
  expect(whole).toContain('Counted: 12 rows.');
});

test.each<[Verdict['status'], string]>([
  ['failed', 'Rehearsal Failed: on a copy of the data the new version did not become healthy'],
  ['inconclusive', 'Rehearsal Inconclusive: the current version does not run on its own either'],
  ['skipped', 'Rehearsal Not rehearsed: the details have the reason.'],
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
  expect((await page()).before).toContain('It tried another digest than the one that is offered: rehearse again.');
});

test('the operator page shows the same verdict', async () => {
  rehearsed({ status: 'passed', seconds: 41, detail: 'It ran.' });
  const { text } = await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200);
  expect(withoutTags(text)).toContain(
    'Rehearsal Passed: on a copy of the data the new version became healthy after 41 s.',
  );
});
