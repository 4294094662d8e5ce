import supertest from 'supertest';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';

// Which origins a form may come from: scheme, host and port of the public URL, and the machine itself.

let http: RunningHttp;
const PUBLIC = 'https://pilot.example.org';
beforeEach(async () => {
  http = await startHttp({ publicUrl: PUBLIC });
});
afterEach(() => http.stop());

const statusOf = async (headers: Record<string, string>): Promise<number> => {
  const { status } = await supertest(http.url).post('/renewals').set(asPerson).set(headers);
  return status;
};

test.each([
  ['the public URL', { Host: 'pilot.example.org', Origin: PUBLIC }],
  ['the public URL, behind a proxy with another host', { Host: 'diun-pilot:8080', Origin: PUBLIC }],
  ['the machine itself, by ssh -L', { Host: 'localhost:8080', Origin: 'http://localhost:8080' }],
  ['no browser', {}],
])('%s counts', async (_from, headers) => {
  expect(await statusOf(headers as Record<string, string>)).toBe(202);
});

test.each([
  ['plain http under the public name', { Host: 'pilot.example.org', Origin: 'http://pilot.example.org' }],
  ['another port', { Host: 'pilot.example.org', Origin: `${PUBLIC}:8443` }],
  ['a neighbour', { Host: 'pilot.example.org', Origin: 'https://git.example.org' }],
  ['a name that leads here', { Host: 'evil.example:8080', Origin: 'http://evil.example:8080' }],
  ['another port of the machine', { Host: 'localhost:8080', Origin: 'http://localhost:3000' }],
  ['an unknown origin', { Host: 'pilot.example.org', Origin: 'null' }],
])('%s is refused', async (_from, headers) => {
  expect(await statusOf(headers)).toBe(403);
});
