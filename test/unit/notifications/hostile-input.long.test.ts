import fc from 'fast-check';
import { composeEml } from '../../../src/adapters/mail-file/file-transport';
import { subjectLine } from '../../../src/notifications/letter/clean';
import {
  approvalReminder,
  criticalUpdateAvailable,
  offerSuperseded,
  updateAvailable,
} from '../../../src/notifications/mails/offer';
import { engineLost } from '../../../src/notifications/mails/engine-lost';
import { networkLost } from '../../../src/notifications/mails/network-lost';
import { backupFailed, backupOld, backupShrunk, drillFailed } from '../../../src/notifications/mails/backups';
import { certificateNearEnd } from '../../../src/notifications/mails/certificate-near-end';
import { digest } from '../../../src/notifications/digest';
import { restoreEnded } from '../../../src/notifications/mails/restore-ended';
import { soakEnded, soakFailed, type SoakNews } from '../../../src/notifications/mails/soak';
import type { RestoreRecord } from '../../../src/domain/backups/restore';
import { renewalFailed } from '../../../src/notifications/mails/renewal-failed';
import { updateFailed } from '../../../src/notifications/mails/update-failed';
import { updateSucceeded } from '../../../src/notifications/mails/update-succeeded';
import type { RenderedMail } from '../../../src/notifications/rendered-mail';
import {
  aBackup,
  aFailedRollback,
  aFailedUpdate,
  anUpdate,
  aPlan,
  aRolledBackUpdate,
  aStep,
  failedNews,
  news,
} from '../../support/news-builder';
import { aCertificate, aRenewal, aSeen, NOW } from '../../support/certificate-builder';
import { openDom } from '../../support/dom';
import { hostile, hostileFailure, tenHostile, type Strings } from '../../support/hostile-strings';
import { aMail } from '../../support/mail-builder';
import { parseEml } from '../../support/parse-eml';

const PUBLIC = 'https://pilot.example.org/';
const LINK = `${PUBLIC}approvals/abc.def`;
const RUNS = { numRuns: 1000 };

const lost = (s: Strings) => ({ container: s[0] ?? '', words: s[2] ?? '', publicUrl: PUBLIC });
const KINDS: ((s: Strings) => RenderedMail)[] = [
  (s) => updateAvailable(newsOf(s, {})),
  (s) => criticalUpdateAvailable({ ...criticalOf(s), approvalUrl: s[9] ?? '', replaces: null }),
  (s) => criticalUpdateAvailable({ ...criticalOf(s), approvalUrl: LINK, replaces: fieldsOf(s).to }),
  (s) => approvalReminder({ ...criticalOf(s), approvalUrl: LINK }),
  (s) => offerSuperseded(newsOf(s, { ...fieldsOf(s), status: 'superseded' })),
  (s) => updateSucceeded(newsOf(s, { status: 'succeeded' })),
  (s) =>
    updateFailed(
      failedNews({ ...newsOf(s, { ...aFailedUpdate(), ...fieldsOf(s), status: 'failed' }), quarantined: true }),
    ),
  (s) => updateFailed(failedNews({ ...newsOf(s, { ...fieldsOf(s), status: 'rolled_back' }), quarantined: false })),
  (s) => updateFailed(failedNews({ ...newsOf(s, { ...fieldsOf(s), status: 'rollback_failed' }), quarantined: true })),
  (s) => renewalFailed({ renewal: renewalOf(s), retryAt: NOW.toISOString(), now: NOW, publicUrl: PUBLIC }),
  (s) => certificateNearEnd({ seen: seenOf(s), certificate: certificateOf(s), now: NOW, publicUrl: PUBLIC }),
  (s) => networkLost({ ...lost(s), service: s[1] ?? '', triesAgain: false }),
  (s) => networkLost({ ...lost(s), service: null, triesAgain: true }),
  (s) => engineLost({ since: NOW.toISOString(), reason: s[2] ?? '', ends: true, inContainer: true, publicUrl: PUBLIC }),
  (s) => backupFailed({ backup: backupOf(s), lastGood: backupOf(s), publicUrl: PUBLIC }),
  (s) => drillFailed({ backup: backupOf(s), lastPassed: backupOf(s), publicUrl: PUBLIC }),
  (s) => backupOld({ about: s[0] ?? '', lastGood: backupOf(s), publicUrl: PUBLIC }),
  (s) => restoreEnded({ restore: restoreOf(s), left: 'half', publicUrl: PUBLIC }),
  (s) => digest([{ at: s[0] ?? '', notice: { title: s[1] ?? '' } }], s[2] ?? ''),
  ...(['first', 'reminder'] as const).map((which) => (s: Strings) => soakFailed(soakOf(s), which)),
  (s) => soakFailed({ ...soakOf(s), offered: [], oldIsGone: true }),
  (s) => soakEnded({ ...newsOf(s, { status: 'succeeded' }), words: s[3] ?? '', runs: false }),
  (s) => backupShrunk({ about: s[0] ?? '', backup: backupOf(s), before: backupOf(s), publicUrl: PUBLIC }),
];

function fieldsOf([a = '', b = '', c = '', d = '', e = '', f = '']: Strings) {
  return {
    container: a,
    project: b,
    service: c,
    reason: d,
    from: { reference: e, digest: f },
    to: { reference: f, digest: a },
    steps: [
      aStep('health_check', 1, 2, { status: 'failed', detail: `${a}\n${b}` }),
      aStep('rollback_health_check', 2, 3, { status: 'failed', detail: `${c}\n${d}` }),
    ],
    error: hostileFailure(e, `${f}\n${a}`),
    followUp: b,
  };
}

function newsOf(s: Strings, differs: Parameters<typeof anUpdate>[0]) {
  const [a = '', b = '', c = '', d = ''] = s.slice(6);
  const plan = aPlan({ backup: [a, b], course: [c, d], risks: [a], followUp: b, releaseNotes: c });
  return {
    ...news({ update: anUpdate({ ...fieldsOf(s), ...differs }), plan, backup: backupOf(s) }),
    publicUrl: PUBLIC,
  };
}

function criticalOf(s: Strings) {
  return { ...newsOf(s, {}), surroundings: { lastBackup: backupOf(s), usualDowntimeSeconds: null, disk: 1 } };
}

function soakOf(s: Strings): SoakNews {
  const [a = '', b = '', c = '', d = ''] = s.slice(4);
  const time = NOW.toISOString();
  return {
    ...newsOf(s, { status: 'succeeded' }),
    soak: {
      ...{ updateId: a, container: b, containerId: c, oldContainerId: d, status: 'deciding', holdsData: true },
      ...{ startedAt: time, until: time, lookAt: time, failedAt: time, decideUntil: time, restarts: 0 },
      ...{ failure: `${a}\n${b}`, schema: 'unknown', schemaDetail: c, choice: null, outcome: d },
    },
    ...{ offered: ['backup', 'current'], oldIsGone: false, decideUrl: s[9] ?? '', now: NOW },
  };
}

function restoreOf([a = '', b = '', c = '', d = '']: Strings): RestoreRecord {
  return {
    ...{ id: a, backupId: b, folder: b, url: c, target: d, updateId: null, trustedManifest: null, status: 'failed' },
    ...{ createdAt: NOW.toISOString(), startedAt: null, finishedAt: null, detail: c },
    error: hostileFailure(d, `${a}\n${b}`),
    kept: [{ what: a, remove: c }],
  };
}

function backupOf([a = '', b = '', c = '', d = '']: Strings) {
  const drill = { status: 'failed', at: NOW.toISOString(), words: `${d}\n${a}` } as const;
  return aBackup({ project: a, url: b, id: c, error: hostileFailure(d, a), drill });
}

function certificateOf([a = '', b = '', c = '']: Strings) {
  return aCertificate({ left: 5, fingerprint: a, names: [b, c] });
}

function seenOf(s: Strings) {
  const [a = '', b = '', c = ''] = s.slice(3);
  return aSeen({ name: a, server: b, served: certificateOf(s), problem: c });
}

function renewalOf(s: Strings) {
  const [a = '', b = '', c = ''] = s.slice(6);
  const error = { code: 'renewal_failed' as const, message: `${b}\nThe last lines of its log:\n${c}` };
  return aRenewal({ id: a, after: [seenOf(s)], error });
}

const dom = openDom();
afterAll(() => dom.close());

/** Elements and attributes that the templates themselves write. */
const own = new Set<string>();
beforeAll(async () => {
  const benign = Array<string>(10).fill('https://example.org/benign');
  const failures = [aFailedUpdate(), aRolledBackUpdate(), aFailedRollback()];
  const mails = [
    ...KINDS.map((render) => render(benign)),
    ...failures.map((update) => updateFailed(failedNews({ update, quarantined: true }))),
  ];
  for (const { html } of mails) for (const mark of (await dom.read(html)).marks) own.add(mark);
});

describe.each(KINDS.map((render, index) => [index, render] as const))(
  'mail %i of hostile strings',
  (_index, render) => {
    const runs = { numRuns: Math.ceil(RUNS.numRuns / KINDS.length) };

    it('contains no element, no attribute and no link but its own', async () => {
      await fc.assert(
        fc.asyncProperty(tenHostile, async (strings) => {
          const { marks, links } = await dom.read(render(strings).html);
          expect(marks.filter((mark) => !own.has(mark))).toEqual([]);
          for (const href of links) {
            expect(href).toMatch(/^https?:\/\//);
            expect(new URL(href).username).toBe('');
          }
        }),
        runs,
      );
    });

    it('has exactly the headers of a mail of ours, and one subject line without what deceives', async () => {
      await fc.assert(
        fc.asyncProperty(tenHostile, async (strings) => {
          const { subject, html, text } = render(strings);
          expect(subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
          expect([...subject].length).toBeLessThanOrEqual(160);
          expect(text).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|[^\P{Cc}\n]/u);
          const parsed = await parseEml(await composeEml(aMail({ subject, html, text })));
          expect(parsed).toMatchObject({ to: aMail().to, subject, html, text });
          expect(parsed.headers).toEqual(EXPECTED_HEADERS);
        }),
        { numRuns: 30 },
      );
    });
  },
);

it('reads back as the one subject that it is, whatever a container is called', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (name) => {
      const subject = subjectLine(name, 'update available');
      const parsed = await parseEml(await composeEml(aMail({ subject, html: 'h', text: 't' })));
      expect(parsed).toMatchObject({ subject, html: 'h', text: 't', headers: EXPECTED_HEADERS });
    }),
    { numRuns: 300 },
  );
});

const EXPECTED_HEADERS = [
  'auto-submitted',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
];

it('quotes names in commands so that a shell runs nothing of them', () => {
  const update = aFailedUpdate({ container: `x'; rm -rf / #$(reboot)` });
  const { text } = updateFailed(failedNews({ update, quarantined: true }));
  expect(text).toContain(`diun-pilot update 'x'\\''; rm -rf / #$(reboot)'`);
});

it('caps the log lines: the last 60, each of 300 characters at most', () => {
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index} ${'x'.repeat(500)}`);
  const update = aFailedUpdate({ error: { code: 'unhealthy', message: ['It died.', ...lines].join('\n') } });
  const { text } = updateFailed(failedNews({ update, quarantined: true }));
  const shown = text.split('\n').filter((line) => line.startsWith('  | '));
  expect(shown).toHaveLength(60);
  expect(shown.at(-1)).toMatch(/^ {2}\| line 199 x+…$/);
  expect(Math.max(...shown.map((line) => line.length))).toBe(304);
});
