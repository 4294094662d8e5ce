import supertest from 'supertest';
import { requestUpdate } from '../../src/decisions/request-update';
import type { RehearsalEnd } from '../../src/domain/rehearsal/rehearsal';
import type { Update } from '../../src/domain/update';
import { linkOn, startHttpOn } from '../support/approval-http';
import { runForge, type Forge } from '../support/forge-scene';
import { asPerson, type RunningHttp } from '../support/http-app';
import { fieldsOf } from '../support/page-form';

// The page of a new PostgreSQL major, before a rehearsal has passed and afterwards.

const DB = 'forge-db-1';
let forge: Forge;
let http: RunningHttp;
let update: Update;
beforeEach(async () => {
  forge = runForge();
  http = await startHttpOn(forge.scene);
  await request('17');
});
afterEach(async () => {
  await http.stop();
  forge.scene.close();
});

async function request(tag: string, ...env: string[]): Promise<void> {
  forge.scene.engine.publish(`postgres:${tag}`, { config: { Env: [`PG_MAJOR=${tag}`, ...env] } });
  update = await requestUpdate(forge.scene.deps, { container: DB, image: `postgres:${tag}` });
}

function rehearsed(status: RehearsalEnd): void {
  const { rehearsals } = forge.scene.store;
  const { id } = rehearsals.insert({ updateId: update.id, digest: update.to.digest, mail: null });
  rehearsals.begin(id);
  rehearsals.end(id, { status, seconds: null, detail: 'Database app uses the extension postgis.' });
}

const withoutTags = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
const seen = async (): Promise<string> =>
  (await supertest(http.url).get(linkOn(forge.scene, update)).set('Accept', 'text/html').expect(200)).text;
const press = (decision: string, accept = 'text/html'): supertest.Test =>
  supertest(http.url).post(linkOn(forge.scene, update)).type('form').set('Accept', accept).send({ decision, name: DB });
const approval = () => forge.scene.store.updates.get(update.id)?.approval?.status;

test.each<RehearsalEnd>(['failed', 'inconclusive', 'skipped'])(
  'after a %s rehearsal nothing on it approves',
  async (end) => {
    rehearsed(end);
    const html = await seen();
    expect(withoutTags(html)).toContain(
      'You cannot approve this update yet. PostgreSQL 17 needs a passed rehearsal first',
    );
    expect(html).not.toMatch(/value="(approve|window)"|name="name"/);
    expect(html).toContain('value="decline"');
    expect(html).toContain('name="rehearse"');
  },
);

test('a request that was made all the same is refused, for a person and for a program', async () => {
  rehearsed('failed');
  const page = await press('approve').expect(409);
  expect(withoutTags(page.text)).toContain('Nothing was decided. PostgreSQL 17 needs a passed rehearsal first');
  expect(page.text).toContain('role="alert"');
  const { body } = await press('approve', 'application/json').expect(409);
  expect(body).toMatchObject({
    error: { code: 'rehearsal_required', message: expect.stringContaining('Rehearse again') },
  });
  expect(approval()).toBe('waiting');
});

test('once it passed, the page has the button', async () => {
  rehearsed('passed');
  const html = await seen();
  expect(withoutTags(html)).not.toContain('You cannot approve');
  expect(html).toContain('value="approve"');
  await press('approve').expect(303);
  expect(approval()).toBe('approved');
});

test('the operator page has no button before, and one afterwards', async () => {
  const look = async (): Promise<string> =>
    (await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200)).text;
  const before = await look();
  expect(withoutTags(before)).toContain(
    'You cannot approve this update yet. PostgreSQL 17 needs a passed rehearsal first',
  );
  expect(before).not.toContain('action="actions/approve"');
  rehearsed('passed');
  const fields = fieldsOf(await look(), 'approve');
  await supertest(http.url)
    .post('/actions/approve')
    .set(asPerson)
    .type('form')
    .send({ ...fields, name: DB })
    .expect(303);
  expect(approval()).toBe('approved');
});

test('the line that the compose file needs stands on it, to be copied', async () => {
  await request('18', 'PGDATA=/var/lib/postgresql/18/docker');
  rehearsed('passed');
  const text = withoutTags(await seen());
  expect(text).toContain(
    'You cannot approve this update yet. The new image keeps its data in /var/lib/postgresql/18/docker',
  );
  expect(text).toContain('# environment: add PGDATA: /var/lib/postgresql/data/');
  const { body } = await press('approve', 'application/json').expect(409);
  expect(body).toMatchObject({ error: { code: 'compose_change_required' } });
});
