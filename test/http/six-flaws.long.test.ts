import { openApiDocument } from '../../src/http/api/openapi';
import { formToken } from '../../src/http/access/form-token';
import { readApproval } from '../../src/decisions/approval-links';
import { PilotError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { systemClock } from '../../src/lib/clock';
import { Secret } from '../../src/lib/secret';
import { openDom } from '../support/dom';
import { HOSTILE } from '../support/hostile-strings';
import {
  API_TOKEN,
  APPROVAL_SECRETS,
  asDiun,
  asOperator,
  asPerson,
  startHttp,
  type RunningHttp,
} from '../support/http-app';
import { receiveTogether } from '../../src/http/routes/webhook';
import { aBackup, CONTAINERS, fillHost, GITEA, linkOf } from '../support/pages-stage';
import { ROUTES, type Route } from '../support/routes';
import { send, type Answer } from '../support/send';
import { aNewUpdate } from '../support/update-builder';

// Six classes of flaws that tools of this field had, asked of every route: a route without a row in test/support/routes.ts fails.
// Addresses that are fetched, and commands that are run, are in test/integration/hostile-names.test.ts.

const FORM_SECRET = new Secret('form-secret-of-the-tests');
const PUBLIC = 'https://pilot.example.org';
let http: RunningHttp;
let host: ReturnType<typeof fillHost>;
let queued: Update;
/** What a use case was asked to do. */
let acts: string[];

beforeEach(async () => {
  acts = [];
  const noted = <Result>(what: string, result: () => Result): Result => (acts.push(what), result());
  const later = <Result>(what: string, result: () => Result): Promise<Result> => Promise.resolve(noted(what, result));
  const aRow = (): Update => http.store.updates.insert(aNewUpdate());
  http = await startHttp({
    publicUrl: PUBLIC,
    containers: () => Promise.resolve(CONTAINERS),
    receiveWebhook: (body) => noted('webhook', () => receiveTogether(http.store, () => undefined)(body)),
    requestUpdate: () => later('update', aRow),
    requestBackups: () => later('backup', () => []),
    requestRenewal: () =>
      noted('renewal', () => http.store.renewals.insert({ reason: 'operator', dueAt: new Date(0).toISOString() })),
    requestRehearsal: (id) => {
      if (http.store.updates.get(id) === null) throw new PilotError('update_not_found', 'No update has this id.');
      return noted('rehearsal', () =>
        http.store.rehearsals.insert({ updateId: id, digest: null, mail: null, requestedBy: null }),
      );
    },
    approvals: {
      read: (token) =>
        readApproval({ store: http.store, clock: systemClock, approvalSecrets: APPROVAL_SECRETS }, token),
      decide: () => later('decision', () => ({ kind: 'declined', update: host.waiting })),
      decideById: () => later('decision', () => host.waiting),
    },
  });
  host = fillHost(http.store);
  queued = http.store.updates.insert(aNewUpdate({ status: 'queued' }));
  aBackup(http.store, 'git', 'succeeded');
});
afterEach(() => http.stop());

type Document = {
  paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }> | undefined>;
};

interface Asked {
  /** As the one who is let in. */
  headers: Record<string, string>;
  path: string;
  fields?: Record<string, string>;
  /** Fields are sent as JSON; else as a form. */
  json?: boolean;
}

const nameOf = ({ method, template }: Route): string => `${method} ${template}`;
const CHANGING = ROUTES.filter(({ method }) => method === 'POST');
const BROWSER = { Accept: 'text/html' };
/** Where an answer may lead. */
const LOCAL = /^(?:(?:\.\.)?\/(?![/\\])[\x21-\x7e]*|[\w.~%-]+)$/;

const DIUN = { status: 'update', provider: 'docker', platform: 'linux/amd64', hub_link: '' };
const digest = `sha256:${'a'.repeat(64)}`;

/** Of each action the update that it is about. */
const ABOUT: Record<string, () => string> = {
  ...{ approve: () => host.waiting.id, decline: () => host.waiting.id, window: () => host.waiting.id },
  ...{ 'start-now': () => queued.id, retry: () => host.back.id, rehearse: () => host.waiting.id },
  ...{ backup: () => 'git', renew: () => '' },
};

/** Fields with which a route acts; a changing route without a row fails. */
const FIELDS: Record<string, () => { fields: Record<string, string>; json?: boolean }> = {
  'POST /webhooks/diun': () => ({ fields: { ...DIUN, image: 'docker.io/library/nginx:1', digest }, json: true }),
  'POST /updates': () => ({ fields: { container: 'git-gitea-1', image: 'gitea/gitea:1' }, json: true }),
  'POST /updates/:id/rehearsal': () => ({ fields: {}, json: true }),
  'POST /backups': () => ({ fields: { project: 'git' }, json: true }),
  'POST /renewals': () => ({ fields: {}, json: true }),
  'POST /approvals/:token': () => ({ fields: { decision: 'decline', name: GITEA.name } }),
  ...Object.fromEntries(Object.keys(ABOUT).map((action) => [`POST /actions/${action}`, () => formOf(action)])),
};

function formOf(action: string, of = action, at = new Date()): { fields: Record<string, string> } {
  const id = ABOUT[action]?.() ?? '';
  return { fields: { id, form: formToken(FORM_SECRET, of, id, at), name: GITEA.name } };
}

function allowed(route: Route): Asked {
  const { template, method, admits } = route;
  const path = template.replace(':id', host.waiting.id).replace('/approvals/:token', linkOf(host.waiting));
  const headers = { anyone: {}, link: {}, webhook: asDiun, api: asOperator, form: asPerson }[admits];
  if (method !== 'POST') return { headers, path };
  const row = FIELDS[nameOf(route)];
  if (row === undefined) throw new Error(`${nameOf(route)} has no row in FIELDS`);
  return { headers, path, ...row() };
}

function ask({ method }: Route, { headers, path, fields = {}, json = false }: Asked): Promise<Answer> {
  const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
  const body = json ? JSON.stringify(fields) : new URLSearchParams(fields).toString();
  const sent = method === 'POST' ? { ...headers, 'Content-Type': type } : headers;
  return send(http.port, { method, url: path, headers: Object.entries(sent), ...(method === 'POST' ? { body } : {}) });
}

/** Streams do not end: the rest of them is not asked here. */
const ENDING = ROUTES.filter(({ template }) => !template.endsWith('/events'));
const asTable = (routes: readonly Route[]): [string, Route][] => routes.map((route) => [nameOf(route), route]);

test('the table has every route of the app, and no other', () => {
  expect(ROUTES.map(nameOf).sort()).toEqual([...http.routes].sort());
});

test.each(asTable(CHANGING))('%s does something when it is asked as it should be', async (_name, route) => {
  const before = http.rows();
  const { status } = await ask(route, allowed(route));
  expect(status).toBeLessThan(400);
  expect(acts.length > 0 || http.rows() !== before).toBe(true);
});

describe('without what lets in', () => {
  const wrong = (value: string): Record<string, string> => ({ Authorization: value });
  const basic = (password: string): string => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;
  const NOBODY = [{}, wrong('Bearer wrong'), wrong(basic('wrong')), wrong('Basic !'), wrong('Bearer'), wrong('')];

  function intruders(route: Route): Asked[] {
    const asked = allowed(route);
    const { admits } = route;
    if (admits === 'anyone') return [];
    if (admits === 'link') {
      const { path } = asked;
      const flipped = path.replace(/(\.)(.)/, (_all, dot: string, mac: string) => `${dot}${mac === 'A' ? 'B' : 'A'}`);
      const ofOther = path.replace(host.waiting.id, host.good.id);
      return [flipped, ofOther, path.slice(0, -4)].map((to) => ({ ...asked, path: to, headers: asPerson }));
    }
    const others = admits === 'webhook' ? [asOperator, asPerson] : [asDiun, wrong(basic('recorded-token'))];
    const all = [...NOBODY, ...others].map((headers) => ({ ...asked, headers }));
    return admits === 'form' ? [...all, ...formsOfOthers(route).map(({ fields }) => ({ ...asked, fields }))] : all;
  }

  /** With the password, as a browser sends it with any form: but with no form of ours, or that of another button, or an old one. */
  function formsOfOthers({ template }: Route): { fields: Record<string, string> }[] {
    const action = template.split('/').at(-1) ?? '';
    const { fields } = formOf(action);
    const other = action === 'approve' ? 'decline' : 'approve';
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    return [
      { fields: { id: fields['id'] ?? '' } },
      { fields: { ...fields, form: '' } },
      formOf(action, other),
      { fields: { ...fields, id: host.down.id } },
      formOf(action, action, yesterday),
    ];
  }

  test.each(asTable(ROUTES.filter(({ admits }) => admits !== 'anyone')))(
    '%s does and shows nothing',
    async (_, route) => {
      const before = http.rows();
      const asked = intruders(route);
      expect(asked.length).toBeGreaterThan(2);
      for (const each of asked) {
        for (const accept of [{}, BROWSER]) {
          const { status, text } = await ask(route, { ...each, headers: { ...each.headers, ...accept } });
          expect([each.path, each.headers, [400, 401, 403, 404, 429].includes(status)]).toEqual([
            ...[each.path, each.headers, true],
          ]);
          expect(text).not.toContain(GITEA.name);
        }
      }
      expect([acts, http.rows() === before]).toEqual([[], true]);
    },
  );
});

describe('a page of another site in the browser of the operator', () => {
  const ELSEWHERE: Record<string, string>[] = [
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
    { 'Sec-Fetch-Site': 'same-site', Origin: 'https://git.example.org' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { Origin: 'https://evil.example' },
    { Origin: `${PUBLIC}.evil.example` },
    { Origin: PUBLIC.replace('https', 'http') },
  ];

  test.each(asTable(CHANGING))('cannot make %s act', async (_name, route) => {
    const before = http.rows();
    const asked = allowed(route);
    // A browser adds the password by itself, never a bearer token.
    const headers = { ...asPerson, ...BROWSER };
    for (const origin of ELSEWHERE) {
      const { status } = await ask(route, { ...asked, headers: { ...headers, ...origin } });
      expect([origin, [401, 403].includes(status)]).toEqual([origin, true]);
    }
    expect([acts, http.rows() === before]).toEqual([[], true]);
  });

  test.each(asTable(ENDING.filter(({ method }) => method === 'GET')))('changes nothing by %s', async (_name, route) => {
    const before = http.rows();
    const { path, headers } = allowed(route);
    for (const query of ['', '?decision=approve', '?id=1&form=1&done=approve', '?_method=POST'])
      for (const method of ['GET', 'HEAD'])
        await ask({ ...route, method }, { path: `${path}${query}`, headers: { ...headers, ...BROWSER } });
    expect([acts, http.rows() === before]).toEqual([[], true]);
  });
});

describe('a hostile value', () => {
  const dom = openDom();
  afterAll(() => dom.close());

  const ROOT = [
    ...[
      '../../../../etc/passwd',
      '..%2f..%2f..%2fetc%2fpasswd',
      '%2e%2e%2fetc/passwd',
      '/etc/passwd',
      'file:///etc/passwd',
    ],
    ...['....//....//etc/passwd', '..\\..\\etc\\passwd', 'x\u0000.html', '%00', '%', 'http://169.254.169.254/latest/'],
    ...[
      '__proto__',
      'constructor',
      "' OR 1=1 --",
      '"; DROP TABLE updates; --',
      '%s%n',
      '{{7*7}}',
      '${7*7}',
      '\r\nSet-Cookie: a=b',
    ],
  ];
  const VALUES = [
    ...ROOT,
    ...HOSTILE.filter((value) => !/\p{Cs}/u.test(value)).map((value) => `<x-canary onx="1">${value}`),
  ];

  /** Each input of the route with one value: a part of its path, a parameter of its query, a field of its body. */
  function inputs(document: Document, route: Route, value: string): Asked[] {
    const asked = allowed(route);
    const { template, method } = route;
    const inPath = /:\w+/.test(template) ? [template.replace(/:\w+/, encodeURIComponent(value))] : [];
    const inQuery = (document.paths[template.replace(/:(\w+)/, '{$1}')]?.[method.toLowerCase()]?.parameters ?? [])
      .filter((parameter) => parameter.in === 'query')
      .map(({ name }) => `${asked.path}?${name}=${encodeURIComponent(value)}`);
    const ways = [...inPath, ...inQuery, ...(method === 'GET' ? [`${asked.path}?x=${encodeURIComponent(value)}`] : [])];
    const inBody = Object.keys(asked.fields ?? {}).map((field) => ({
      ...asked,
      fields: { ...asked.fields, [field]: value },
    }));
    return [...ways.map((path) => ({ ...asked, path })), ...inBody];
  }

  async function expectClean(answer: Answer): Promise<void> {
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toContain('root:x:0:0');
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    if (answer.headers.location !== undefined) expect(answer.headers.location).toMatch(LOCAL);
    if (!/^text\/html/.test(answer.headers['content-type'] ?? '')) return;
    expect(answer.headers['content-security-policy']).toMatch(/default-src 'none'/);
    const { marks, links } = await dom.read(answer.text);
    expect(marks.filter((mark) => /x-canary|^\w+ on/.test(mark.replace(/^input value=.*/s, '')))).toEqual([]);
    expect(
      links.filter(
        (href) => !/^(?:#|\?|(?:\.{1,2}\/)+(?![/\\])|updates\/|https?:\/\/[^@/]+(?:\/|$))/.test(href) && href !== '',
      ),
    ).toEqual([]);
  }

  test.each(asTable(ENDING))('is text and nothing else for %s', async (_name, route) => {
    const document = openApiDocument('0.1.0', PUBLIC) as unknown as Document;
    // Each value once for each route, and each input with every value of a part of them.
    for (const [number, value] of VALUES.entries()) {
      const ways = inputs(document, route, value);
      const asked = ways[number % ways.length];
      if (asked === undefined) continue;
      await expectClean(await ask(route, { ...asked, headers: { ...asked.headers, ...BROWSER } }));
    }
    // What was stored of it is shown as text, too.
    for (const path of ['/', `/updates/${host.waiting.id}`, linkOf(host.waiting)])
      await expectClean(
        await send(http.port, { method: 'GET', url: path, headers: [...Object.entries({ ...asPerson, ...BROWSER })] }),
      );
  });

  test('the check notices what comes through', async () => {
    const page = (text: string): Answer => ({
      ...{ status: 200, text, json: () => JSON.parse('{}') as never },
      headers: {
        ...{ 'content-type': 'text/html', 'x-content-type-options': 'nosniff' },
        'content-security-policy': "default-src 'none'",
      },
    });
    await expectClean(page('<p>&lt;x-canary&gt;</p>'));
    for (const through of ['<x-canary>', '<b onclick="1">', '<a href="javascript:1">', '<a href="//evil.example">'])
      await expect(expectClean(page(`<p>${through}</p>`))).rejects.toThrow();
  });
});

test('the password of the page is the token of the API, and neither is that of Diun', () => {
  expect(new Set([API_TOKEN, asDiun.Authorization, FORM_SECRET.reveal()]).size).toBe(3);
});
