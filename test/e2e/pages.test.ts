import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator, Page } from 'playwright-core';
import { readApproval } from '../../src/decisions/approval-links';
import { recordDecision } from '../../src/decisions/approve';
import { diskProblem } from '../../src/domain/disk/df';
import type { Plan } from '../../src/domain/plan/plan';
import type { Update } from '../../src/domain/update';
import type { HttpDeps } from '../../src/http/deps';
import { systemClock } from '../../src/lib/clock';
import { whyNoBrowser } from '../lab/browser';
import { expectFine, LOOKS, openBrowser, type Look } from '../support/browser';
import { eventually } from '../support/eventually';
import { HOSTILE } from '../support/hostile-strings';
import { API_TOKEN, APPROVAL_SECRETS, startHttp, type RunningHttp } from '../support/http-app';
import { describeIf } from '../support/needs';
import { aBackup, aRunningOne, CONTAINERS, fillHost, GITEA, linkOf, offered, someTimers } from '../support/pages-stage';
import {
  askedToRestore,
  failedInSoak,
  restoredByItself,
  restoreOf,
  servedOnThroughout,
} from '../support/pages-stage-restores';
import { recordingLogger } from '../support/recording-logger';

// The pages in a real browser. No engine is needed: what they show is in the store.
let http: RunningHttp;
/** The link is read as it is; the button only records: there is no registry here that could have moved. */
function approvals(): HttpDeps['approvals'] {
  const reader = () => ({ store: http.store, clock: systemClock, approvalSecrets: APPROVAL_SECRETS });
  return {
    read: (token) => readApproval(reader(), token),
    decide: (token, { decision, name }) => {
      const view = readApproval(reader(), token);
      if (view.kind !== 'open') return Promise.resolve(view);
      if (decision === 'approve' && name !== view.plan.container)
        return Promise.resolve({ ...view, kind: 'name_needed' });
      const parts = { ...reader(), logger: recordingLogger().logger };
      const update =
        recordDecision(parts, view.update, decision === 'decline' ? 'decline' : 'approve', 'link') ?? view.update;
      return Promise.resolve({ kind: decision === 'approve' ? 'approved' : 'declined', update });
    },
    decideById: () => Promise.reject(new Error('not here')),
  };
}

function everyPage(): Record<string, string> {
  const { waiting, running, good, back, down } = fillHost(http.store);
  const declined = offered(http.store, CONTAINERS[1] ?? GITEA, 'postgres:17.5');
  http.store.updates.decide(declined.id, {
    status: 'declined',
    reason: 'no',
    now: new Date().toISOString(),
    by: 'link',
    notBefore: null,
    inWindow: false,
  });
  return {
    plan: linkOf(waiting),
    'decline link': `${linkOf(waiting)}#decline`,
    closed: linkOf(declined),
    unknown: '/approvals/none',
    operator: '/?done=approve',
    'operator, filtered to nothing': '/?container=nobody&problem=not_waiting',
    running: `/updates/${running.id}`,
    waiting: `/updates/${waiting.id}`,
    good: `/updates/${good.id}`,
    'rolled back': `/updates/${back.id}`,
    down: `/updates/${down.id}`,
    'restored by itself': `/updates/${restoredByItself(http.store).id}`,
    'served on': `/updates/${servedOnThroughout(http.store).id}`,
    'asked to restore': askedToRestore(http.store).link,
    'asked to restore, too late': askedToRestore(http.store, 73 * 3_600_000).link,
    'a restore that waits': restoreOf(http.store, 'queued'),
    'a restore that runs': restoreOf(http.store, 'running'),
    'a restore that went well': restoreOf(http.store, 'succeeded'),
    'a restore that did not help': restoreOf(http.store, 'failed'),
    'a failed soak, its backup is offered': failedInSoak(http.store, 'changed'),
    'a failed soak, both are offered': failedInSoak(http.store, 'unknown'),
    'a failed soak, its old container is gone': failedInSoak(http.store, 'changed', 70, false),
    'a failed soak, too late': failedInSoak(http.store, 'changed', -1),
    'not found': '/nothing',
  };
}

/** As nginx does while it is being updated itself: cut, then 502, then back. */
async function openProxy(port: number) {
  let broken = false;
  let streams = 0;
  const server: Server = createServer((incoming, outgoing) => {
    if (broken) return void outgoing.writeHead(502).end('Bad Gateway');
    if (incoming.url?.endsWith('/events')) streams += 1;
    const { method, url: path, headers } = incoming;
    const sent = request({ port, host: '127.0.0.1', method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    outgoing.on('close', () => sent.destroy());
    sent.on('error', () => outgoing.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    streams: () => streams,
    breakDown: () => {
      broken = true;
      server.closeAllConnections();
    },
    mend: () => {
      broken = false;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describeIf(whyNoBrowser(), 'the pages in a browser', () => {
  const browser = openBrowser();
  beforeEach(async () => {
    http = await startHttp({
      containers: () => Promise.resolve(CONTAINERS),
      approvals: approvals(),
      timers: someTimers,
    });
  });
  afterEach(async () => {
    await browser.forget();
    await http.stop();
  });

  function open(path: string, look: Look = {}, base = http.url): Promise<Page> {
    const httpCredentials = { username: 'anyone', password: API_TOKEN };
    return browser.open(base + path, { viewport: { width: 390, height: 844 }, httpCredentials, ...look });
  }

  test.each(LOOKS)('on %s: axe finds nothing, and nothing is wider than the screen', async (_where, look) => {
    const page = await open('/health', look);
    for (const [name, path] of Object.entries(everyPage())) {
      await page.goto(http.url + path);
      if (name.startsWith('operator') || name.includes('plan'))
        await page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))");
      await expectFine(page, name);
    }
  });

  test('the choice of a failed soak is a line with its text next to it, on a phone too', async () => {
    const page = await open(failedInSoak(http.store, 'unknown'));
    for (const each of await page.locator('label.choice').all()) {
      const [mark, text] = [await each.locator('input').boundingBox(), await each.locator('span').boundingBox()];
      expect([mark?.width, (mark?.x ?? 0) + 44 <= (text?.x ?? 0)]).toEqual([44, true]);
    }
    await page.getByText('with the current data').click();
    expect(await page.locator('input[value=current]').isChecked()).toBe(true);
  });

  describe('the approval page on a phone', () => {
    function aHardOne(): Update {
      aBackup(http.store, 'git', 'succeeded');
      const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
      const plan = http.store.updates.plan(update.id) as Plan;
      http.store.notices.open('disk_nearly_full', 'engine', diskProblem(1024 ** 3) ?? '', 1024 ** 3);
      // Closed now, whenever this runs.
      const day = new Date(Date.now() + 3 * 86_400_000).toLocaleDateString('en-GB', { weekday: 'short' });
      http.store.updates.savePlan(update.id, { ...plan, jump: 'major', window: `${day} 02:00-05:00` });
      return update;
    }

    test('has all that the decision needs in its first screen, the buttons too', async () => {
      const page = await open(linkOf(aHardOne()));
      for (const what of ['.versions', '.summary dl', '#name', 'button[value=approve]', 'button[value=decline]']) {
        const box = await page.locator(what).boundingBox();
        expect({ what, inSight: box !== null && box.y + box.height <= 844 }).toEqual({ what, inSight: true });
      }
      expect(await page.locator('button[value=window]').innerText()).toContain('next window');
    });

    test('opens its folds by keyboard and without script', async () => {
      const page = await open(linkOf(aHardOne()), { javaScriptEnabled: false });
      const fold = page.getByText('Steps, in this order');
      await page.locator('button[value=decline]').focus();
      for (let tab = 0; tab < 12 && !(await hasFocus(fold)); tab++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('is pulled by its digest').waitFor();
    });
  });

  const hasFocus = (element: Locator): Promise<boolean> => element.and(element.page().locator(':focus')).isVisible();

  describe('the buttons behind the link', () => {
    test('approve with the name typed, and lead to the live page', async () => {
      const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
      const page = await open(linkOf(update));
      await page.getByLabel(/type its name/).fill('gitea');
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('alert').getByText('Nothing was decided').waitFor();
      await page.getByLabel(/type its name/).fill(GITEA.name);
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('heading', { name: `Update of ${GITEA.name}` }).waitFor();
      expect(page.url()).toBe(http.url + linkOf(update));
      http.store.updates.change(update.id, { status: 'running', startedAt: new Date().toISOString() });
      await page.locator('#status').getByText('Running').waitFor();
    });

    test('decline, brought forward by the mail’s second link, without a name', async () => {
      const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
      const page = await open(`${linkOf(update)}#decline`);
      const [decline, approve] = await Promise.all(
        ['Decline', 'Approve'].map((name) => page.getByRole('button', { name }).boundingBox()),
      );
      expect(decline?.y).toBeLessThan(approve?.y ?? 0);
      await page.getByRole('button', { name: 'Decline' }).click();
      await page.getByRole('heading', { name: /stays as it is/ }).waitFor();
      expect(http.store.updates.get(update.id)?.status).toBe('declined');
    });

    test('are not pressed by a browser that only looks', async () => {
      const update = offered(http.store, GITEA, 'gitea/gitea:1.24.6');
      for (let scan = 0; scan < 10; scan++) await (await open(linkOf(update))).waitForLoadState('networkidle');
      expect(http.store.updates.get(update.id)).toEqual(update);
    });
  });

  describe('the live page', () => {
    test('follows the update to its verdict without being loaded anew', async () => {
      const { id } = aRunningOne(http.store);
      const page = await open(`/updates/${id}`);
      await page.evaluate('window.untouched = true');
      http.store.updates.stepDetail(id, 'pull', '67.0 of 68.2 MB');
      await page.getByText('67.0 of 68.2 MB').waitFor();
      http.store.updates.endStep(id, 'pull', 'failed', 'The registry refuses.\nline one\nline two');
      http.store.updates.change(id, {
        status: 'failed',
        finishedAt: new Date().toISOString(),
        error: { code: 'pull_failed', message: 'The registry refuses.\ndenied' },
      });
      await page.locator('#status').getByText('Failed').waitFor();
      expect(await page.locator('#step-pull pre').textContent()).toBe('line one\nline two');
      expect(await page.locator('#error').innerText()).toMatch(/The registry refuses\.\s+denied/);
      expect(await page.title()).toMatch(/^Failed: /);
      expect(await page.evaluate('window.untouched')).toBe(true);
      await page.getByRole('link', { name: 'Load the full report' }).click();
      await page.getByText('runs its old version as before').waitFor();
    });

    test('shows what strangers write as text', async () => {
      const { id } = aRunningOne(http.store);
      const page = await open(`/updates/${id}`);
      await page.locator('#step-pull.running').waitFor();
      const elements = "document.querySelectorAll('*').length";
      const before = await page.evaluate(elements);
      http.store.updates.stepDetail(id, 'pull', HOSTILE.join('\n'));
      http.store.updates.change(id, {
        reason: HOSTILE.join(' '),
        followUp: HOSTILE.join(' '),
        error: { code: 'unhealthy', message: HOSTILE.join('\n') },
      });
      await page.locator('#step-pull').getByText('<img src=x onerror=alert(1)>').waitFor();
      expect(await page.evaluate(elements)).toBe(before);
    });

    test('says when it is not connected, and finds back by itself through a proxy that answered 502', async () => {
      const { id } = aRunningOne(http.store);
      const proxy = await openProxy(http.port);
      try {
        const page = await open(`/updates/${id}`, {}, proxy.url);
        await eventually('the stream', () => proxy.streams() > 0);
        proxy.breakDown();
        await page.getByText('Not connected').waitFor();
        http.store.updates.stepDetail(id, 'pull', '68.2 of 68.2 MB');
        proxy.mend();
        await page.getByText('68.2 of 68.2 MB').waitFor();
        await page.getByText('Not connected').waitFor({ state: 'hidden' });
      } finally {
        proxy.close();
      }
    });

    test('works without script, by loading itself anew', async () => {
      const { id } = aRunningOne(http.store);
      const page = await open(`/updates/${id}`, { javaScriptEnabled: false });
      http.store.updates.change(id, { status: 'rolled_back', finishedAt: new Date().toISOString() });
      await page.locator('#status').getByText('Rolled back').waitFor({ timeout: 20_000 });
    });
  });
});
