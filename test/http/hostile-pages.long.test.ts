import fc from 'fast-check';
import type { ApprovalView, ClosedWhy } from '../../src/decisions/approval-links';
import type { RestoreView } from '../../src/decisions/recovery-links';
import type { Rehearsal } from '../../src/domain/rehearsal/rehearsal';
import type { Release } from '../../src/domain/notes/release-notes';
import type { Surroundings } from '../../src/domain/approval';
import type { PastUpdate, Update } from '../../src/domain/update';
import type { RestoreRecord } from '../../src/domain/backups/restore';
import { dataPathsOf } from '../../src/domain/data/data-paths';
import { suggestionsFor } from '../../src/domain/labels/suggest-labels';
import { confirmPage } from '../../src/http/pages/confirm-page';
import { closedPage, declinedPage, errorPage, movedPage } from '../../src/http/pages/message-page';
import { livePage } from '../../src/http/pages/live-page';
import type { OperatorData } from '../../src/http/pages/operator/operator-data';
import { operatorPage } from '../../src/http/pages/operator/operator-page';
import { restorePage, restoreStatePage } from '../../src/http/pages/restore-page';
import { seenInSteps } from '../../src/notifications/mails/failure-text';
import { aCertificate, aRenewal, aSeen } from '../support/certificate-builder';
import { aContainer } from '../support/container-builder';
import { openDom } from '../support/dom';
import { hostileFailure, tenHostile, type Strings } from '../support/hostile-strings';
import { aBackup, anUpdate, aPlan, aStep, at } from '../support/news-builder';

// Ten strings for each page; a thousand pages.
const RUNS = 1000;

const now = new Date(at(500));
const VERDICTS = ['succeeded', 'failed', 'rolled_back', 'rollback_failed'] as const;

function updateOf([a = '', b = '', c = '', d = '', e = '', f = '']: Strings, differs: Partial<Update> = {}): Update {
  return anUpdate({
    container: a,
    project: b,
    service: c,
    reason: d,
    from: { reference: e, digest: f },
    to: { reference: f, digest: a },
    approval: { status: 'waiting', expiresAt: at(1000), decidedAt: null },
    steps: [
      aStep('pull', 1, 2, { detail: `${e} of ${f}` }),
      aStep('health_check', 1, 2, { status: 'failed', detail: `${a}\n${b}` }),
      aStep('rollback_health_check', 2, 3, { status: 'failed', detail: `${c}\n${d}` }),
    ],
    error: hostileFailure(e, `${f}\n${a}`),
    followUp: b,
    notes: { url: c, versions: [d, e], flags: ['breaking'], problem: f },
    ...differs,
  });
}

function planFrom(s: Strings) {
  const [a = '', b = '', c = '', d = ''] = s.slice(6);
  return aPlan({
    container: s[0],
    backup: [a, b],
    course: [c, d],
    risks: [a],
    followUp: b,
    releaseNotes: c,
    holdsData: true,
  });
}

function backupFrom([a = '', b = '', c = '', d = '']: Strings) {
  return aBackup({ project: a, url: b, id: c, error: hostileFailure(d, a) });
}

function restoreFrom([a = '', b = '', c = '', d = '', e = '', f = '']: Strings): RestoreRecord {
  const times = { createdAt: at(0), startedAt: at(1), finishedAt: at(2) };
  const error = hostileFailure(f, `${a}\n${b}`);
  const kept = [{ what: b, remove: c }];
  return {
    ...times,
    error,
    kept,
    id: a,
    backupId: b,
    folder: c,
    url: d,
    target: e,
    updateId: '01KAT3W8P4Q2V5X7Z9B1D3F5H7',
    trustedManifest: null,
    status: 'failed',
    detail: a,
  };
}

function restoreViewFrom(s: Strings, restore: RestoreRecord | null): RestoreView {
  const update = updateOf(s, { status: 'rollback_failed' });
  const state = restore === null ? 'open' : 'used';
  return { update, backup: backupFrom(s), expiresAt: at(1000), state, restore, left: 'half', repair: null };
}

/** Its text is Markdown, which test/unit/http/render-markdown.long.test.ts holds against a list of tags. */
function releaseFrom([a = '', b = '', c = '']: Strings): Release {
  return { tag: a, name: b, url: c, text: '', prerelease: false };
}

/** All of its text is what images and logs say. */
function rehearsalFrom([a = '']: Strings): Rehearsal {
  const times = { createdAt: at(0), startedAt: at(1), finishedAt: at(2) };
  return {
    id: 'r',
    updateId: 'u',
    digest: null,
    status: 'failed',
    ...times,
    seconds: 4,
    detail: a,
    requestedBy: null,
    mail: null,
  };
}

function openFrom(s: Strings): Extract<ApprovalView, { kind: 'open' }> {
  const update = updateOf(s, { status: 'awaiting_approval' });
  return { kind: 'open', update, plan: planFrom(s), surroundings: surroundingsFrom(s) };
}

function surroundingsFrom(s: Strings): Surroundings {
  return {
    lastBackup: backupFrom(s),
    usualDowntimeSeconds: 4,
    past: pastFrom(s),
    releases: [releaseFrom(s)],
    disk: 1,
    rehearsal: rehearsalFrom(s),
  };
}

/** Of one container: how many lines a picture has depends on their names. */
function pastFrom([a = '', b = '']: Strings): PastUpdate[] {
  return VERDICTS.map((status, index) => ({
    ...{ id: `u${index}`, container: a, reference: b, status },
    ...{ finishedAt: at(index * 99), awaySeconds: index },
  }));
}

function aMount(Destination: string) {
  return { Type: 'volume', Name: 'data', Source: '/volumes/data', Destination, Mode: '', RW: true };
}

function hostFrom(s: Strings): OperatorData {
  const [a = '', b = '', c = '', d = '', e = '', f = '', g = ''] = s;
  const container = aContainer({
    name: a,
    reference: b,
    project: c,
    read: { problems: [{ label: d, value: e, message: f }], backup: { kind: 'postgres' } },
  });
  const update = updateOf(s);
  const mail = {
    id: a,
    kind: b,
    updateId: null,
    createdAt: at(0),
    html: c,
    text: d,
    nextAttemptAt: null,
    sentAt: null,
  };
  const check = { status: 'degraded' as const, reason: g };
  return {
    now,
    mode: 'observe',
    publicUrl: 'https://pilot.example.org',
    health: {
      status: 'down',
      version: '0.1.0',
      checks: {
        database: check,
        docker: check,
        scheduler: check,
        outbox: check,
        backups: check,
        certificates: check,
        channels: check,
      },
    },
    message: { tone: 'alarm', words: 'Nothing was done.' },
    containers: [{ container, latest: update, brokenBy: update }],
    notWatched: suggestionsFor([
      aContainer({
        name: a,
        reference: 'nginx:1.27',
        project: b,
        service: c,
        dataPaths: dataPathsOf([aMount(`/data/${d}`), aMount(`/srv/${e}`)]),
        read: { watched: false },
      }),
      aContainer({ name: a, reference: b, project: c, service: d, swarmService: e, read: { watched: false } }),
    ]),
    otherPilots: [a, g],
    waiting: [
      { update: updateOf(s, { status: 'awaiting_approval' }), plan: planFrom(s), surroundings: surroundingsFrom(s) },
    ],
    pastUpdates: pastFrom(s),
    pastBackups: [
      { project: a, container: null, status: 'succeeded', finishedAt: at(0), seconds: 3, bytes: 12 },
      { project: a, container: null, status: 'failed', finishedAt: at(9), seconds: null, bytes: null },
    ],
    working: [updateOf(s, { status: 'running' })],
    history: { filter: { container: a, status: 'failed' }, updates: [update], next: b },
    backups: [backupFrom(s)],
    restores: [restoreFrom(s)],
    certificates: [aSeen({ name: d, server: e, served: aCertificate({ left: 5 }), problem: f })],
    renewals: [aRenewal({ detail: g }), aRenewal({ status: 'queued', outcome: null, detail: null })],
    refusals: [{ container: a, digest: b, why: 'failed', updateId: c, at: at(0) }],
    undelivered: [{ ...mail, subject: e, status: 'refused', attempts: 3, lastError: f }],
    channels: [{ name: f, topics: ['failures'], pending: 0, oldestPendingAt: null, refused: 1, lastError: g }],
    lastHeardAt: at(0),
    rejected: [{ id: a, receivedAt: at(0), status: 'rejected', body: `${b}\n${c}`, outcome: d }],
    lost: [{ kind: 'network_lost', subject: a, since: at(0), words: b, figure: null }],
    kept: [{ containerId: c, container: c, name: c, updateId: c, reason: d, leftover: true, keepUntil: at(0) }],
    incidents: [{ at: at(0), container: c, words: d }],
    timers: [{ name: 'backup', nextAt: at(900), last: { at: at(1), outcome: e, trouble: e } }],
    tokenFor: () => 'form-token',
  };
}

const followed = (status: Update['status'], operator: boolean) => (s: Strings) => {
  const update = updateOf(s, { status });
  const seen = { update, backup: backupFrom(s), ...seenInSteps(update) };
  return livePage({ ...seen, now, operator, home: operator ? '../' : null });
};
const closed = (why: ClosedWhy) => (s: Strings) => closedPage(why, updateOf(s));

const PAGES: [string, (s: Strings) => string][] = [
  ['the plan', (s) => confirmPage({ ...openFrom(s), now })],
  ['the plan, name missed', (s) => confirmPage({ ...openFrom(s), now, nameMissed: true })],
  ['approved', closed('approved')],
  ['declined before', closed('declined')],
  ['expired', closed('expired')],
  ['superseded', closed('superseded')],
  ['declined', (s) => declinedPage(updateOf(s))],
  ['moved', (s) => movedPage(updateOf(s))],
  ['a running update', followed('running', true)],
  ['a waiting one', followed('awaiting_approval', true)],
  ['one behind a link', followed('succeeded', false)],
  ['a failed one', followed('failed', true)],
  ['a rolled back one', followed('rolled_back', false)],
  ['one that is down', followed('rollback_failed', true)],
  [
    'the page that asks whether to restore',
    (s) => restorePage(restoreViewFrom(s, null), { distrust: s[0] ?? '', sha256: null }, now),
  ],
  ['a restore that ended', (s) => restoreStatePage(restoreViewFrom(s, restoreFrom(s)))],
  [
    'a restore that runs',
    (s) => restoreStatePage(restoreViewFrom(s, { ...restoreFrom(s), status: 'running', finishedAt: null })),
  ],
  ['a link to restore that ran out', (s) => restoreStatePage(restoreViewFrom(s, null))],
  ['the operator page', (s) => operatorPage(hostFrom(s))],
  ['an error', (s) => errorPage({ status: 502, home: './', code: 'registry_refused', message: s.join('\n') })],
];

const dom = openDom();
afterAll(() => dom.close());

/** Elements and attributes that the pages themselves write; values that are input by nature stand in no other attribute. */
const own = new Set(['code']); // what stands between backticks (pages/blocks)
const INPUT_VALUES = /^input value=/;
beforeAll(async () => {
  const benign = Array<string>(10).fill('https://example.org/benign');
  for (const [, render] of PAGES) for (const mark of (await dom.read(render(benign))).marks) own.add(mark);
});

test.each(PAGES)('%s holds no element, no attribute and no link but its own', async (_name, render) => {
  await fc.assert(
    fc.asyncProperty(tenHostile, async (strings) => {
      const { marks, links, text } = await dom.read(render(strings));
      expect(marks.filter((mark) => !own.has(mark) && !INPUT_VALUES.test(mark))).toEqual([]);
      for (const href of links) {
        if (/^(#|\?|(\.{1,2}\/)+(#|$)|updates\/)/.test(href)) continue;
        expect(href).toMatch(/^https?:\/\//);
        expect(new URL(href).username).toBe('');
      }
      // What a reader sees has nothing that turns text around, hides it or speaks to a terminal.
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }),
    { numRuns: Math.ceil(RUNS / PAGES.length) },
  );
});

test('the check itself notices markup that came through', async () => {
  const { marks, links } = await dom.read(
    errorPage({ status: 500, home: './', code: 'internal_error', message: 'MARK' }).replace(
      'MARK',
      '<b onclick="x">b</b><a href="javascript:x">a</a>',
    ),
  );
  expect(marks.filter((mark) => !own.has(mark))).toEqual(['b', 'b onclick=x']);
  expect(links).toContain('javascript:x');
});
