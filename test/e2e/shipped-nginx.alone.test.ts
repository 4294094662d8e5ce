import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import type { Update } from '../../src/domain/update';
import { whyNoBrowser } from '../lab/browser';
import { NGINX } from '../lab/debian-program';
import { API_TOKEN, APPROVAL_SECRETS, startHttp, type RunningHttp } from '../support/http-app';
import { openBrowser } from '../support/browser';
import { describeIf } from '../support/needs';
import { aRunningOne, GITEA, linkOf, offered } from '../support/pages-stage';
import { startRecordingServer, type RecordingServer } from '../support/recording-server';
import { ROUTES, spellingsOf } from '../support/routes';
import { GIT_DOMAIN, OPERATOR_DOMAIN, startShippedNginx, type ShippedNginx } from '../support/shipped-nginx';
import { viewUrl } from '../../src/decisions/approval-links';

// The shipped nginx with Gitea (a server that does what a compromised one could) and the real HTTP side of diun-pilot behind it.
jest.setTimeout(120_000);

const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const PASSWORD = { Authorization: `Basic ${Buffer.from(`anyone:${API_TOKEN}`).toString('base64')}` };
const CHALLENGE = 'Basic realm="diun-pilot", charset="UTF-8"';

let gitea: RecordingServer;
let pilot: RunningHttp;
let nginx: ShippedNginx;
/** What Gitea answers; the test's own. */
let answerOfGitea: (request: IncomingMessage, response: ServerResponse) => void;

const plainGitea: typeof answerOfGitea = ({ url }, response) =>
  void response.setHeader('Content-Type', 'text/html').end(`<h1>Gitea</h1><p>${encodeURIComponent(url ?? '')}</p>`);

async function open(pilotPort?: number): Promise<void> {
  answerOfGitea = plainGitea;
  gitea = await startRecordingServer((request, response) => answerOfGitea(request, response));
  pilot = await startHttp({ publicUrl: `https://${GIT_DOMAIN}`, trustedProxies: ['127.0.0.1'] });
  nginx = await startShippedNginx({ gitea: gitea.port, pilot: pilotPort ?? pilot.port });
}

afterEach(async () => {
  await nginx.close();
  await pilot.stop();
  await gitea.close();
});

const viewOf = (update: Update): string => viewUrl({ publicUrl: '', approvalSecrets: APPROVAL_SECRETS }, update);
const routesSeen = (): string[] => [
  ...new Set(pilot.lines.filter(({ message }) => message === 'request').map(({ route }) => String(route))),
];

describeIf(NGINX.whyNot(), 'the shipped nginx', () => {
  describe('under the name of Gitea', () => {
    beforeEach(() => open());

    test('leads to diun-pilot by the address of a link only, in one spelling', async () => {
      for (const { path, method } of ROUTES) {
        for (const spelling of [path, ...spellingsOf(path)]) {
          const { headers } = await nginx.ask(spelling, { method, headers: { ...BROWSER, ...PASSWORD } });
          expect({ spelling, challenge: headers['www-authenticate'] }).toEqual({ spelling, challenge: undefined });
        }
      }
      expect(routesSeen().sort()).toEqual(['/approvals/:token', '/approvals/:token/events']);
    });

    test.each([
      '/updates/..%2fapprovals%2fx',
      '/updates/..%2fapprovals/events',
      '/updates/%2e%2e/approvals/x',
      '/x/../approvals/x',
      '//approvals/x',
      '/%61pprovals/x',
      '/approvals/..%2f..%2fupdates',
      '/approvals/x/../../updates',
      '/approvals/x%2fevents',
      '/Approvals/x',
      '/approvals/x/',
      '/approvals//x',
      '/approvals/',
      '/approvals',
    ])('%s is not an address of a link', async (path) => {
      await nginx.ask(path, { headers: { ...BROWSER, ...PASSWORD } });
      expect(pilot.lines).toEqual([]);
    });

    test('what was once an address of diun-pilot is one of Gitea', async () => {
      for (const path of ['/updates/x', '/updates', '/assets/live.js', '/']) {
        expect((await nginx.ask(path, { headers: BROWSER })).body).toContain('<h1>Gitea</h1>');
      }
      expect(pilot.lines).toEqual([]);
    });

    test('only WebSocket may upgrade a connection to Gitea', async () => {
      for (const protocol of ['h2c', 'TLS/1.0', 'websocket, h2c']) {
        await nginx.ask('/x', { headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: protocol } });
        const { upgrade, connection } = gitea.requests.at(-1)!.headers;
        expect({ protocol, upgrade, connection }).toEqual({ protocol, upgrade: undefined, connection: undefined });
      }
      expect((await nginx.ask('/x', { headers: { Connection: 'Upgrade', Upgrade: 'WebSocket' } })).status).toBe(101);
    });

    test('Gitea can neither install a service worker nor have addresses reported elsewhere', async () => {
      answerOfGitea = (_request, response) =>
        void response
          .writeHead(200, {
            NEL: '{"report_to":"x","max_age":9999,"success_fraction":1}',
            'Report-To': '{"group":"x","max_age":9999,"endpoints":[{"url":"https://evil.example/"}]}',
            'Reporting-Endpoints': 'default="https://evil.example/"',
            'Alt-Svc': 'h2="evil.example:443"',
          })
          .end('ok');
      const { status, headers } = await nginx.ask('/sw.js');
      expect(status).toBe(200);
      for (const name of ['nel', 'report-to', 'reporting-endpoints', 'alt-svc']) expect(headers[name]).toBeUndefined();
      expect((await nginx.ask('/sw.js', { headers: { 'Service-Worker': 'script' } })).status).toBe(403);
    });

    test('no token of a link is in a log, whatever it was asked by', async () => {
      const token =
        linkOf(offered(pilot.store, GITEA, 'gitea/gitea:1.24.6'))
          .split('/')
          .at(-1) ?? '';
      const paths = [
        `/approvals/${token}`,
        `/APPROVALS/${token}`,
        `//approvals/${token}`,
        `/x?next=/approvals/${token}`,
      ];
      for (const path of [...paths, `/${token}`, `/%61pprovals/${token}`, `/approvals/${token}/more`]) {
        for (const plain of [false, true]) {
          for (const name of [GIT_DOMAIN, OPERATOR_DOMAIN]) {
            await nginx.ask(path, { plain, name, headers: { Referer: `https://${name}/approvals/${token}` } });
          }
        }
      }
      expect(nginx.logs()).toContain('(a link of diun-pilot)');
      expect(nginx.logs()).not.toContain(token);
    });

    test('port 80 leads to the same name by https', async () => {
      for (const name of [GIT_DOMAIN, OPERATOR_DOMAIN]) {
        const { status, headers } = await nginx.ask('/some/path?q=1', { plain: true, name });
        expect([status, headers.location]).toEqual([301, `https://${name}/some/path?q=1`]);
      }
    });

    test('the address of the client arrives, and nothing else is believed', async () => {
      const wrong = (from: string) =>
        nginx.ask('/approvals/wrong', { from, headers: { ...BROWSER, 'X-Forwarded-For': '198.51.100.9' } });
      for (let n = 0; n < 100; n++) expect((await wrong('127.0.0.2')).status).toBe(404);
      expect((await wrong('127.0.0.2')).status).toBe(429);
      expect((await wrong('127.0.0.3')).status).toBe(404);
    });
  });

  describe('between a browser and diun-pilot', () => {
    let recorded: RecordingServer;
    beforeEach(async () => {
      recorded = await startRecordingServer(
        (_request, response) =>
          void response.writeHead(401, { 'Set-Cookie': 'a=b', 'WWW-Authenticate': CHALLENGE }).end('no'),
      );
      await open(recorded.port);
    });
    afterEach(() => recorded.close());

    const CLAIMS = { ...PASSWORD, Cookie: 'gitea=secret', 'Remote-User': 'root', Forwarded: 'for=1.2.3.4' };

    test('no credentials pass under the name of Gitea, in either direction', async () => {
      const { headers } = await nginx.ask('/approvals/x', { headers: CLAIMS });
      expect([headers['set-cookie'], headers['www-authenticate']]).toEqual([undefined, undefined]);
      const arrived = recorded.requests[0]!.headers;
      for (const name of ['authorization', 'cookie', 'remote-user', 'forwarded']) expect(arrived[name]).toBeUndefined();
    });

    test('under its own name the password passes, and no cookie and no claim', async () => {
      const { headers } = await nginx.ask('/', { name: OPERATOR_DOMAIN, headers: CLAIMS });
      expect([headers['set-cookie'], headers['www-authenticate']]).toEqual([undefined, CHALLENGE]);
      const arrived = recorded.requests[0]!.headers;
      expect(arrived.authorization).toBe(PASSWORD.Authorization);
      for (const name of ['cookie', 'remote-user', 'forwarded', 'x-pilot-root']) expect(arrived[name]).toBeUndefined();
    });
  });

  describe('under a name of its own', () => {
    beforeEach(() => open());

    test('the operator page and the API are there, webhooks are not, and Gitea is not', async () => {
      const name = OPERATOR_DOMAIN;
      expect((await nginx.ask('/', { name, headers: BROWSER })).headers['www-authenticate']).toBe(CHALLENGE);
      expect((await nginx.ask('/', { name, headers: { ...BROWSER, ...PASSWORD } })).status).toBe(200);
      expect((await nginx.ask('/updates', { name, headers: PASSWORD })).status).toBe(200);
      expect((await nginx.ask('/webhooks/diun', { name, method: 'POST' })).status).toBe(404);
      expect(gitea.requests.filter(({ url }) => url !== '/')).toEqual([]);
    });
  });

  describeIf(whyNoBrowser(), 'in a browser', () => {
    const browser = openBrowser([
      `--host-resolver-rules=MAP ${GIT_DOMAIN} 127.0.0.1,MAP ${OPERATOR_DOMAIN} 127.0.0.1`,
      '--ignore-certificate-errors',
    ]);
    beforeEach(() => open());
    afterEach(() => browser.forget());

    const at = (path: string, name = GIT_DOMAIN): string => `https://${name}:${nginx.ports.https}${path}`;
    const withPassword = (url: string): string => url.replace('https://', `https://anyone:${API_TOKEN}@`);

    /** As a person does: the password is typed where a page asks for it, and only there. */
    async function follow(page: Page, url: string): Promise<void> {
      const asked = await page.goto(url).then(
        (answer) => answer?.status() === 401,
        (error: Error) => {
          if (!error.message.includes('ERR_INVALID_AUTH_CREDENTIALS')) throw error;
          return page.waitForURL('chrome-error://**').then(() => true);
        },
      );
      if (asked) await page.goto(withPassword(url));
    }

    async function eachPageOfTheOperator(page: Page, update: Update): Promise<void> {
      await follow(page, at(viewOf(update)));
      await follow(page, at(`/updates/${update.id}`));
      await follow(page, at('/', OPERATOR_DOMAIN));
    }

    test('a compromised Gitea that asks for a password of the same realm gets none, and starts nothing', async () => {
      const running = aRunningOne(pilot.store);
      const page = await browser.open('about:blank');
      await eachPageOfTheOperator(page, running);
      answerOfGitea = ({ headers }, response) => {
        const challenged = headers.authorization === undefined;
        response.writeHead(challenged ? 401 : 200, challenged ? { 'WWW-Authenticate': CHALLENGE } : {}).end('Gitea');
      };
      gitea.requests.length = 0;
      for (const path of ['/updates/attack', '/attack']) {
        await page.goto(at(path)).catch(({ message }: Error) => expect(message).toContain('INVALID_AUTH_CREDENTIALS'));
        await page.waitForLoadState();
      }
      expect(gitea.requests.length).toBeGreaterThan(0);
      for (const { headers } of gitea.requests) expect(headers.authorization).toBeUndefined();
    });

    test('a script on the origin of Gitea reaches no route that starts something', async () => {
      const running = aRunningOne(pilot.store);
      const page = await browser.open('about:blank');
      await eachPageOfTheOperator(page, running);
      await page.goto(at('/explore'));
      pilot.lines.length = 0;
      const before = pilot.store.updates.list({ limit: 100 }).updates.length;
      const tried = ['/updates/', '/updates', '/backups/', '/renewals', '/actions/backup', '/approvals/..%2fupdates'];
      for (const path of tried) {
        await page.evaluate(
          `fetch(${JSON.stringify(path)}, { method: 'POST', credentials: 'include', body: '{"container":"web-nginx-1"}' }).catch(() => null)`,
        );
      }
      await page.evaluate(
        `fetch(${JSON.stringify(at('/updates', OPERATOR_DOMAIN))}, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"container":"web-nginx-1"}' }).catch(() => null)`,
      );
      expect(pilot.store.updates.list({ limit: 100 }).updates.length).toBe(before);
      expect(routesSeen().filter((route) => route.startsWith('/approvals'))).toEqual([]);
      for (const line of pilot.lines.filter(({ message }) => message === 'request'))
        expect([401, 403, 404]).toContain(line['status']);
    });

    test('a page of Gitea learns no link: by no referrer, no history, no frame and no service worker', async () => {
      const link = at(linkOf(offered(pilot.store, GITEA, 'gitea/gitea:1.24.6')));
      answerOfGitea = ({ url }, response) =>
        url === '/sw.js'
          ? void response.setHeader('Content-Type', 'text/javascript').end('self.onfetch = () => undefined')
          : plainGitea({ url } as IncomingMessage, response);
      const page = await browser.open(at('/explore'));
      const registered = await page.evaluate(
        `navigator.serviceWorker.register('/sw.js', { scope: '/' }).then(() => 'registered', (error) => String(error))`,
      );
      expect(registered).toMatch(/403|bad HTTP response/i);
      await page.goto(link);
      await page.evaluate(`location.href = '/after'`);
      await page.waitForURL('**/after');
      const entries = await page.evaluate('navigation.entries().map(({ url }) => url)');
      expect(JSON.stringify(entries)).not.toContain('/approvals/');
      expect(await page.evaluate('document.referrer')).toBe('');
      const framed = await page.evaluate(`new Promise((resolve) => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        frame.onload = () => { try { resolve(frame.contentDocument?.title ?? 'nothing') } catch { resolve('nothing') } };
        frame.src = ${JSON.stringify(link)};
      })`);
      expect(framed).not.toContain('diun-pilot');
      for (const { headers } of gitea.requests) expect(headers.referer ?? '').not.toContain('/approvals/');
    });

    test('the live page behind a mail works there, with its script and without a password', async () => {
      const running = aRunningOne(pilot.store);
      const page = await browser.open(at(viewOf(running)));
      pilot.store.updates.stepDetail(running.id, 'pull', '67.0 of 68.2 MB');
      await page.getByText('67.0 of 68.2 MB').waitFor();
    });
  });
});
