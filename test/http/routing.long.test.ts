import { API_TOKEN, startHttp, type RunningHttp } from '../support/http-app';
import { ROUTES, spellingsOf } from '../support/routes';
import { send } from '../support/send';

// Every route of the contract's table in one spelling; each other spelling leads nowhere, with every method and the password.

let http: RunningHttp;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.stop());

const TOKEN: [string, string] = ['Authorization', `Bearer ${API_TOKEN}`];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'];
const PATHS = [...new Set(ROUTES.map(({ path }) => path))];
const statusOf = async (method: string, url: string): Promise<number> =>
  (await send(http.port, { method, url, headers: [TOKEN] })).status;

test.each(PATHS)('%s knows the methods of the table and refuses others', async (path) => {
  const known = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
  for (const method of METHODS) {
    const answers = known.includes(method) || (method === 'HEAD' && known.includes('GET'));
    const status = await statusOf(method, path);
    if (answers) expect({ method, path, status }).not.toMatchObject({ status: 405 });
    else expect([method, path, [204, 405].includes(status)]).toEqual([method, path, true]);
  }
});

test.each(PATHS)('%s in another spelling is a 404', async (path) => {
  const answered = [];
  for (const spelling of spellingsOf(path)) {
    for (const method of METHODS) {
      const status = await statusOf(method, spelling);
      if (!isNothing(spelling, status)) answered.push(`${method} ${spelling}: ${status}`);
    }
  }
  expect(answered).toEqual([]);
});

/** Of an address with a parameter, what follows the last slash in the same segment is part of the parameter: of none that is there. */
function isNothing(spelling: string, status: number): boolean {
  if (status === 404) return true;
  const parameter = /^\/(?:updates|approvals)\/[^/]+(?:\/events)?$/.test(spelling);
  return parameter && [400, 405, 204, 401].includes(status);
}

test('a query or a full address does not change the route', async () => {
  expect(await statusOf('GET', '/updates?limit=1')).toBe(200);
  expect(await statusOf('GET', `http://127.0.0.1:${http.port}/updates`)).toBe(200);
  expect(await statusOf('GET', `http://127.0.0.1:${http.port}/updates/`)).toBe(404);
});

test('no header changes the method or the address', async () => {
  const headers: [string, string][] = [
    TOKEN,
    ['X-HTTP-Method-Override', 'POST'],
    ['X-Original-URL', '/updates'],
    ['X-Rewrite-URL', '/updates'],
    ['X-Forwarded-Prefix', '/updates'],
  ];
  expect((await send(http.port, { method: 'GET', url: '/nothing', headers })).status).toBe(404);
  expect((await send(http.port, { method: 'GET', url: '/backups', headers })).status).toBe(200);
});
