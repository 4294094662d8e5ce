import type { BackupRecord } from '../../src/domain/backups/backup';
import type { Plan } from '../../src/domain/plan/plan';
import type { Step, Update } from '../../src/domain/update';
import { seenInSteps } from '../../src/notifications/mails/failure-text';
import type { EndNews, OfferNews } from '../../src/notifications/mails/passages/passages';
import type { FailedNews } from '../../src/notifications/mails/update-failed';

export const OLD_DIGEST = 'sha256:0f37a7a1e9e0c2b3b65b2d7f2f0c9b1d7c7f2c4b5a6978877665544332211000';
export const NEW_DIGEST = 'sha256:46c84e1f951a305efbd22c35b43c9f933859983a6caf20dbadab947a1e4b627e';

const START = Date.parse('2026-11-23T03:00:10.000Z');

/** Seconds after the update began, as a time. */
export function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

export function aStep(name: Step['name'], from: number, to: number, differs: Partial<Step> = {}): Step {
  return { name, status: 'succeeded', startedAt: at(from), finishedAt: at(to), detail: null, ...differs };
}

/** The steps that go before the swap, all well. */
export const PREPARED: Step[] = [
  aStep('backup', 0, 12, { detail: '3 items, 12.4 MiB, each read back' }),
  aStep('pull', 12, 20, { detail: 'pulled 18.2 MiB' }),
  aStep('preflight', 20, 21, { detail: 'nginx -t of the new image accepts the configuration' }),
];

/** An automatic update of nginx within its tag, begun at 03:00:10. */
export function anUpdate(differs: Partial<Update> = {}): Update {
  return {
    id: '01KAT3W8P4Q2V5X7Z9B1D3F5H7',
    kind: 'container',
    container: 'nginx',
    project: 'web',
    service: 'nginx',
    policy: 'automatic',
    status: 'queued',
    reason: 'The policy is automatic, and the same tag has a new digest.',
    source: 'diun',
    from: { reference: 'nginx:1.27', digest: OLD_DIGEST },
    to: { reference: 'nginx:1.27', digest: NEW_DIGEST },
    createdAt: at(-5),
    startedAt: at(0),
    finishedAt: null,
    approval: null,
    backupId: null,
    steps: [],
    error: null,
    followUp: null,
    hold: null,
    notBefore: null,
    inWindow: false,
    ...differs,
  };
}

export function aPlan(differs: Partial<Plan> = {}): Plan {
  return {
    container: 'nginx',
    project: 'web',
    service: 'nginx',
    from: { reference: 'nginx:1.27', digest: OLD_DIGEST },
    to: { reference: 'nginx:1.27', digest: NEW_DIGEST },
    jump: 'digest',
    holdsData: false,
    restores: false,
    backup: ['db: every database of its PostgreSQL, by pg_dump', 'app: /data'],
    course: [
      'Back up the project web and read it back.',
      'Pull the new image.',
      'Replace the container; the old one is kept.',
    ],
    risks: ['nginx does not answer for about half a second while it is replaced.'],
    followUp: null,
    releaseNotes: 'https://nginx.org/en/CHANGES',
    ...differs,
  };
}

export function aBackup(differs: Partial<BackupRecord> = {}): BackupRecord {
  return {
    id: '01KAT3W9A0BCDEFGHJKMNPQRST',
    project: 'web',
    container: null,
    reason: 'update',
    updateId: '01KAT3W8P4Q2V5X7Z9B1D3F5H7',
    status: 'succeeded',
    createdAt: at(0),
    startedAt: at(0),
    finishedAt: at(12),
    url: 's3://backups/web/01KAT3W9A0BCDEFGHJKMNPQRST',
    bytes: 13_002_342,
    verifiedAt: at(12),
    quiesced: false,
    items: [],
    error: null,
    pruned: null,
    drill: null,
    ...differs,
  };
}

/** The page to which the mail leads. */
export const PAGE = 'https://pilot.example.org/approvals/01KAT3W8P4Q2V5X7Z9B1D3F5H7.signed';

export function news(differs: Partial<EndNews & OfferNews> = {}): EndNews & OfferNews {
  return { update: anUpdate(), plan: null, backup: null, page: PAGE, ...differs };
}

/** Of an update that did not run, as far as the test does not say otherwise. */
export function failedNews(differs: Partial<FailedNews>): FailedNews {
  const update = differs.update ?? aFailedUpdate();
  return { ...news({ update }), ...seenInSteps(update), quarantined: false, ...differs };
}

const LOG = [
  'The last lines of its log:',
  '2026/11/23 03:00:34 [emerg] 1#1: host not found in upstream "app" in /etc/nginx/conf.d/default.conf:3',
  'nginx: [emerg] host not found in upstream "app" in /etc/nginx/conf.d/default.conf:3',
];
const UNHEALTHY = ['The container stopped with exit code 1.', ...LOG].join('\n');

/** Failed before the swap. */
export function aFailedUpdate(differs: Partial<Update> = {}): Update {
  const message =
    'nginx -t of the new image refuses the live configuration: unknown directive "http3" in /etc/nginx/nginx.conf:14';
  return anUpdate({
    status: 'failed',
    finishedAt: at(21),
    steps: [...PREPARED.slice(0, 2), aStep('preflight', 20, 21, { status: 'failed', detail: message })],
    error: { code: 'preflight_failed', message },
    ...differs,
  });
}

/** Failed after the swap; the old container serves again. */
export function aRolledBackUpdate(differs: Partial<Update> = {}): Update {
  return anUpdate({
    status: 'rolled_back',
    finishedAt: at(40),
    steps: [
      ...PREPARED,
      aStep('recreate', 21, 23, { detail: 'the new container is started' }),
      aStep('health_check', 23, 35, { status: 'failed', detail: UNHEALTHY }),
      aStep('rollback', 35, 36, { detail: 'the old container 3f2a91c07bd4 is started again' }),
      aStep('rollback_health_check', 36, 40, { detail: 'nginx answers on port 80, seen twice' }),
    ],
    error: { code: 'unhealthy', message: UNHEALTHY },
    ...differs,
  });
}

/** Neither serves. */
export function aFailedRollback(differs: Partial<Update> = {}): Update {
  const trouble = [
    'Not healthy within 2 minutes: port 80 refuses connections.',
    'The last lines of its log:',
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)',
  ].join('\n');
  return aRolledBackUpdate({
    status: 'rollback_failed',
    finishedAt: at(160),
    steps: [
      ...aRolledBackUpdate().steps.slice(0, -1),
      aStep('rollback_health_check', 36, 160, { status: 'failed', detail: trouble }),
    ],
    error: { code: 'rollback_failed', message: `${trouble}\nThe update was rolled back because: ${UNHEALTHY}` },
    ...differs,
  });
}
