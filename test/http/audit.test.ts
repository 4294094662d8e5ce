import supertest from 'supertest';
import { asOperator, asPerson, startHttp, type RunningHttp } from '../support/http-app';

let http: RunningHttp;
beforeEach(async () => (http = await startHttp()));
afterEach(() => http.stop());

const audit = (query = '') => supertest(http.url).get(`/audit${query}`).set(asOperator);

test('the trail is for the API token alone, and its cursor leads through it', async () => {
  await supertest(http.url).get('/audit').expect(401);
  for (let each = 0; each < 3; each++) {
    http.store.audit.append({ kind: 'start', actor: 'diun-pilot', subject: null, detail: {} });
  }
  const { body } = await audit('?limit=2').expect(200);
  expect(body).toMatchObject({ entries: [{ kind: 'failed_logins' }, { number: 3 }], next: '3' });
  expect((await audit(`?cursor=${body.next}`).expect(200)).body).toMatchObject({
    entries: [{ number: 2 }, { number: 1 }],
    next: null,
  });
  await audit('?cursor=x').expect(400);
});

test('failed logins are counted in one record, without what was typed', async () => {
  for (let each = 0; each < 5; each++) {
    await supertest(http.url).get('/updates').set('Authorization', 'Bearer hunter2-wrong').expect(401);
  }
  await supertest(http.url).get('/approvals/none').expect(404);
  const { body } = await audit().expect(200);
  expect(body.entries).toMatchObject([{ kind: 'failed_logins', detail: { count: 6, addresses: ['127.0.0.1'] } }]);
  expect(JSON.stringify(body)).not.toContain('hunter2');
});

test('the operator page may read it with its password', () =>
  supertest(http.url).get('/audit').set(asPerson).expect(200));
