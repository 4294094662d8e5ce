import supertest from 'supertest';
import { digest } from '../support/container-builder';
import { diskProblem } from '../../src/domain/disk/df';
import type { Plan } from '../../src/domain/plan/plan';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { aBackup, CONTAINERS, GITEA, linkOf, offered } from '../support/pages-stage';

let http: RunningHttp;
beforeEach(async () => {
  http = await startHttp({ containers: () => Promise.resolve(CONTAINERS) });
});
afterEach(() => http.stop());

interface Parts {
  /** Above the form. */
  before: string;
  form: string;
  /** Below the form. */
  after: string;
}

async function open(link: string): Promise<Parts> {
  const { text } = await supertest(http.url).get(link).set('Accept', 'text/html').expect(200);
  const body = text.slice(text.indexOf('<main'));
  const [begin, end] = [body.indexOf('<form'), body.indexOf('</form>')];
  return { before: body.slice(0, begin), form: body.slice(begin, end), after: body.slice(end) };
}

const withoutTags = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

test('what the decision needs comes before the buttons, and none of it is folded', async () => {
  aBackup(http.store, 'git', 'succeeded');
  const { before } = await open(linkOf(offered(http.store, GITEA, 'gitea/gitea:1.24.6')));
  const text = withoutTags(before);
  for (const words of [
    'Update git-gitea-1?',
    'gitea/gitea · project git · patch version',
    '1.24.5 → to 1.24.6',
    `sha256:${'a'.repeat(12)} → to sha256:${'d'.repeat(12)}`,
    'Risk The new version can change the data. If needed, a rollback restores the backup.',
    'Downtime Not measured yet: git-gitea-1 is offline from the start of the backup',
    'Backup Taken and read back first. The last one: 412.7 MiB, 9 h ago.',
  ]) {
    expect(text).toContain(words);
  }
  expect(before).not.toContain('<details');
});

test('the whole plan follows the buttons, folded; only what can go wrong is open', async () => {
  const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
  http.store.updates.change(update.id, { notes: null }); // then the link of the image's labels is shown
  const { form, after } = await open(linkOf(update));
  expect(form).toMatch(/name="name"[\s\S]*value="approve"[\s\S]*value="decline"/);
  const folds = [...after.matchAll(/<details class="fold"( open)?><summary>([^<]*)<\/summary>/g)];
  expect(folds.map(([, isOpen, heading]) => `${heading}${isOpen ?? ''}`)).toEqual([
    'What can go wrong open',
    'What will be unavailable',
    'The last verified backup',
    'What is backed up first',
    'Steps, in this order',
    'If it fails',
    'What to do afterwards',
    'The exact images',
  ]);
  expect(after).toMatch(/Reason for the approval: Its policy is manual[\s\S]*<details/);
  expect(after).toContain(digest('a'));
  expect(after).toContain(digest('d'));
  const link = after.indexOf('href="https://github.com/go-gitea/gitea/releases/tag/v1.24.6"');
  expect(link).toBeGreaterThan(0);
  expect(link).toBeLessThan(after.indexOf('<details'));
});

test('a warning about this very container is read before the buttons', async () => {
  const [, database = GITEA] = CONTAINERS;
  const update = offered(http.store, database, 'postgres:18.1');
  const { before } = await open(linkOf(update));
  expect(before).toMatch(
    /class="important">The data directory is of PostgreSQL 17, and PostgreSQL 18 never starts on it/,
  );
});

test('a tag that stays is shown once, with both digests', async () => {
  const { before } = await open(linkOf(offered(http.store, GITEA, GITEA.reference)));
  const text = withoutTags(before);
  expect(text).toContain('1.24.5 sha256:aaaaaaaaaaaa');
  expect(text).not.toContain('1.24.5 →');
});

test('what the release notes mention is in the summary, and leads to them', async () => {
  const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
  const url = 'https://github.com/go-gitea/gitea/releases';
  const notes = { url, versions: ['v1.24.6', 'v1.24.5'], flags: ['breaking' as const], problem: null };
  http.store.updates.change(update.id, { notes });
  const { before, after } = await open(linkOf(update));
  expect(withoutTags(before)).toContain('Notes 2 releases: they mention breaking changes.');
  expect(before).toContain('href="#release-notes"');
  expect(after).toContain('id="release-notes"');
});

test('a disk that is nearly full is said before the buttons', async () => {
  const link = linkOf(offered(http.store, GITEA, 'gitea/gitea:1.24.6'));
  expect(withoutTags((await open(link)).before)).not.toContain('Disk');
  http.store.notices.open('disk_nearly_full', 'engine', diskProblem(1024 ** 3) ?? '', 1024 ** 3);
  const { before, after } = await open(link);
  expect(withoutTags(before)).toMatch(/Disk Nearly full: only 1\.0 GiB free\. +Notes/);
  expect(withoutTags(after)).toContain('only 1.0 GiB free. Make room: docker system df shows what uses it');
});

describe('the button for the next window', () => {
  const window = (at: Date): string => {
    const minutes = (each: Date): string => each.toISOString().slice(11, 16);
    return `${minutes(at)}-${minutes(new Date(at.getTime() + 3_600_000))}`;
  };
  const pages = async (opens: Date): Promise<[string, string]> => {
    const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
    const plan = http.store.updates.plan(update.id) as Plan;
    http.store.updates.savePlan(update.id, { ...plan, window: window(opens) });
    const operator = await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200);
    return [withoutTags((await open(linkOf(update))).form), withoutTags(operator.text)];
  };

  test('has its time, on both pages', async () => {
    const opens = new Date(Date.now() + 2 * 3_600_000);
    const shown = `Approve for the next window (${opens.toISOString().slice(0, 16).replace('T', ' ')})`;
    for (const page of await pages(opens)) expect(page).toContain(shown);
  });

  test('is not there while the window is open: now is that time', async () => {
    for (const page of await pages(new Date(Date.now() - 60_000))) expect(page).not.toContain('next window');
  });
});
