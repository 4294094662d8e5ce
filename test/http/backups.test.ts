import supertest from 'supertest';
import { PilotError } from '../../src/domain/errors';
import { backupsSchema } from '../../src/http/api/schemas';
import { asOperator, startHttp, type RunningHttp } from '../support/http-app';

let http: RunningHttp;
let asked: { project?: string }[];
beforeEach(async () => {
  asked = [];
  http = await startHttp({
    requestBackups: ({ project }) => {
      asked.push({ project });
      if (project === 'missing') return Promise.reject(new PilotError('container_not_found', 'no such project'));
      const projects = project === undefined ? ['web', 'git'] : [project];
      return Promise.resolve(
        projects.map((name) =>
          http.store.backups.insert({ project: name, container: null, reason: 'operator', updateId: null }),
        ),
      );
    },
  });
});
afterEach(() => http.stop());

const post = (body?: object) => supertest(http.url).post('/backups').set(asOperator).send(body);

test('POST without a body takes a backup of every project, and the list shows them', async () => {
  const { body } = await post().expect(202);
  expect(body.backups).toMatchObject([
    { project: 'web', status: 'queued' },
    { project: 'git', status: 'queued' },
  ]);
  const list = await supertest(http.url).get('/backups').set(asOperator).expect(200);
  expect(list.body.backups).toEqual([...(body.backups as object[])].reverse());
});

test('a body that is not UTF-8 is no body left out: nothing is taken', async () => {
  const request = supertest(http.url).post('/backups').set(asOperator).type('json');
  request.write(Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]));
  const { body } = await request.expect(400);
  expect(body.error).toMatchObject({ code: 'invalid_body', message: expect.stringContaining('UTF-8') });
  expect(asked).toEqual([]);
});

test('POST with a project takes that one', async () => {
  const { body } = await post({ project: 'git' }).expect(202);
  expect(body.backups).toHaveLength(1);
  expect(asked).toEqual([{ project: 'git' }]);
});

test('a project that does not exist is 404', async () => {
  const { body } = await post({ project: 'missing' }).expect(404);
  expect(body.error.code).toBe('container_not_found');
});

test.each([{ project: 7 }, { project: '' }, { projects: 'web' }])('%j is 400 and takes none', async (request) => {
  await post(request).expect(400);
  expect(asked).toEqual([]);
});

test('the list takes a limit, and refuses a bad one', async () => {
  await post().expect(202);
  const get = (query: string) => supertest(http.url).get(`/backups${query}`).set(asOperator);
  expect((await get('?limit=1').expect(200)).body.backups).toMatchObject([{ project: 'git' }]);
  await get('?limit=0').expect(400);
  await get('?page=2').expect(400);
});

test('a failed backup tells why', async () => {
  const record = http.store.backups.insert({ project: 'web', container: null, reason: 'schedule', updateId: null });
  http.store.backups.change(record.id, {
    status: 'failed',
    error: { code: 'storage_full', message: 'The backup storage is full.' },
  });
  const { body } = await supertest(http.url).get('/backups').set(asOperator).expect(200);
  expect(body.backups[0]).toMatchObject({ status: 'failed', error: { code: 'storage_full' } });
});

test('the verdict of a restore drill is told, in the shape that the document promises', async () => {
  const { id } = http.store.backups.insert({ project: 'web', container: null, reason: 'schedule', updateId: null });
  const drill = { status: 'passed', at: '2026-01-04T05:00:00.000Z', words: 'Restored: database app.' } as const;
  http.store.backups.endDrill(id, drill);
  const { body } = await supertest(http.url).get('/backups').set(asOperator).expect(200);
  expect(body.backups[0].drill).toEqual(drill);
  expect(backupsSchema.parse(body)).toEqual(body);
  const { body: document } = await supertest(http.url).get('/openapi.json').expect(200);
  expect(document.components.schemas.Backup.properties).toHaveProperty('drill');
});
