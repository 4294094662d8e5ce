import { approvalUrl } from '../../src/decisions/approval-links';
import type { Container } from '../../src/domain/container';
import type { NotesSummary, Release } from '../../src/domain/notes/release-notes';
import type { Plan } from '../../src/domain/plan/plan';
import { planUpdate } from '../../src/domain/plan/plan-update';
import type { StepName, Update } from '../../src/domain/update';
import type { Store } from '../../src/ports/store';
import type { TimerView } from '../../src/schedule/timers';
import { aCertificate, aRenewal, aSeen } from './certificate-builder';
import { aContainer, digest } from './container-builder';
import { APPROVAL_SECRETS } from './http-app';
import { aNewUpdate } from './update-builder';

// A host in the middle of its life, as the pages show it: real rows in a real store.

const HOUR = 3_600_000;

export const GITEA = aContainer({
  name: 'git-gitea-1',
  reference: 'gitea/gitea:1.24.5',
  repoDigests: [`gitea/gitea@${digest('a')}`],
  project: 'git',
  service: 'gitea',
  labels: { 'update.policy': 'manual', 'backup.kind': 'files', 'backup.paths': '/data', 'update.probe': 'gitea' },
});
const DATABASE = aContainer({
  name: 'git-db-1',
  reference: 'postgres:17.4',
  repoDigests: [`postgres@${digest('b')}`],
  project: 'git',
  service: 'db',
  labels: { 'update.policy': 'manual', 'backup.kind': 'postgres', 'update.probe': 'postgres' },
  database: true,
});
const NGINX = aContainer({
  name: 'web-nginx-1',
  reference: 'nginx:1.27',
  labels: { 'update.policy': 'automatic', 'update.probe': 'nginx', 'update.alow': 'digest', 'backup.kind': 'mysql' },
});
const STOPPED = aContainer({
  name: 'mastodon-streaming',
  reference: 'ghcr.io/mastodon/streaming:v4.3.1',
  running: false,
});
const MISLABELLED = aContainer({
  name: 'vaultwarden',
  reference: 'vaultwarden/server:1.34.3',
  labels: { 'diun.enable': 'yes' },
});
export const CONTAINERS: Container[] = [GITEA, DATABASE, NGINX, STOPPED, MISLABELLED];

/** The plan as the product itself makes it. */
function planOf(container: Container, reference: string, to: string): Plan {
  return planUpdate({
    container,
    target: { reference, digest: to },
    jump: 'patch',
    set: [DATABASE, GITEA].filter(({ project }) => project === container.project),
    holdsData: container.labels.backup !== null,
    stopped: [GITEA].filter(({ project }) => project === container.project),
    releaseNotes: 'https://github.com/go-gitea/gitea/releases/tag/v1.24.6',
  });
}

const FORGE = 'https://github.com/go-gitea/gitea/releases';
const NOTES: NotesSummary = {
  url: FORGE,
  versions: ['v1.24.6', 'v1.24.5'],
  flags: ['breaking', 'security'],
  problem: 'Only the newest 200 releases were read.',
};
/** With everything that Markdown has. */
const RELEASES: Release[] = [
  {
    tag: 'v1.24.6',
    name: 'Gitea 1.24.6',
    url: `${FORGE}/tag/v1.24.6`,
    prerelease: false,
    text: [
      '# Breaking changes\n\nA `key` of **app.ini** is *renamed*: [details](https://docs.gitea.com/).',
      '### Skipped a level\n\n1. one\n2. two\n   - inner\n\n> a quote\n\n---',
      '![a picture](https://example.org/a.png) https://example.org/plain ~~gone~~ <b>no HTML</b>',
      `| Option | Meaning |\n|:--|--:|\n| ${'long '.repeat(60)} | x |`,
      `\`\`\`sh\ngitea ${'--option '.repeat(60)}\n\`\`\``,
      `${'A'.repeat(300)}`,
    ].join('\n\n'),
  },
  { tag: 'v1.24.5', name: '', url: null, text: '## Security\n- CVE-2025-1234', prerelease: false },
  { tag: 'v1.24.4', name: '', url: null, text: '', prerelease: false },
];

/** An update that waits for approval, with its plan. */
export function offered(store: Store, container: Container, reference: string, to = digest('d')): Update {
  const plan = planOf(container, reference, to);
  return store.transaction(() => {
    const update = store.updates.insert(
      aNewUpdate({
        container: container.name,
        project: container.project,
        service: container.service,
        policy: container.labels.policy,
        status: 'awaiting_approval',
        reason: 'Its policy is manual, so it waits for your decision.',
        from: plan.from,
        to: plan.to,
        followUp: plan.followUp,
        notes: NOTES,
        approval: { status: 'waiting', expiresAt: new Date(Date.now() + 71 * HOUR).toISOString(), decidedAt: null },
      }),
    );
    store.updates.savePlan(update.id, plan);
    store.notesTexts.save(update.id, RELEASES);
    return update;
  });
}

/** Path of the mail's link. */
export function linkOf(update: Update): string {
  return approvalUrl({ publicUrl: '', approvalSecrets: APPROVAL_SECRETS }, update);
}

export type StepsDone = [StepName, 'succeeded' | 'failed' | 'running', string | null][];

export function withSteps(store: Store, update: Update, steps: StepsDone): void {
  for (const [name, status, detail] of steps) {
    store.updates.beginStep(update.id, name);
    if (status !== 'running') store.updates.endStep(update.id, name, status, detail);
    else if (detail !== null) store.updates.stepDetail(update.id, name, detail);
  }
}

export const PREPARED_STEPS: StepsDone = [
  ['backup', 'succeeded', '3 items, 412.7 MiB, each read back'],
  ['pull', 'succeeded', `docker.io/library/nginx@${digest('e')} is image ${digest('f')}`],
  ['preflight', 'succeeded', 'nginx -t of the new image accepts the configuration'],
];

const UNHEALTHY = [
  'Not healthy within 2 minutes: port 80 refuses connections.',
  'The last lines of its log:',
  '2026/11/23 03:00:34 [emerg] 1#1: host not found in upstream "app" in /etc/nginx/conf.d/default.conf:3',
  'nginx: [emerg] host not found in upstream "app" in /etc/nginx/conf.d/default.conf:3',
].join('\n');

/** Runs: the pull is under way. */
export function aRunningOne(store: Store): Update {
  const update = store.updates.insert(
    aNewUpdate({ reason: 'The policy is automatic, and the same tag has a new digest.' }),
  );
  store.updates.change(update.id, { status: 'running', startedAt: new Date(Date.now() - 34_000).toISOString() });
  withSteps(store, update, [...PREPARED_STEPS.slice(0, 1), ['pull', 'running', '41.9 of 68.2 MB']]);
  return update;
}

/** Ended with the old container serving again, or (`rollback_failed`) with none. */
export function aBrokenOne(store: Store, status: 'rolled_back' | 'rollback_failed'): Update {
  const update = store.updates.insert(aNewUpdate({ to: { reference: 'nginx:1.28', digest: digest('9') } }));
  const verdict = status === 'rolled_back' ? 'succeeded' : 'failed';
  withSteps(store, update, [
    ...PREPARED_STEPS,
    ['recreate', 'succeeded', 'the new container is started'],
    ['health_check', 'failed', UNHEALTHY],
    ['rollback', 'succeeded', 'the old container 3f2a91c07bd4 is started again'],
    ['rollback_health_check', verdict, verdict === 'failed' ? UNHEALTHY : 'nginx answers on port 80, seen twice'],
  ]);
  return store.updates.change(update.id, {
    status,
    reason:
      status === 'rolled_back'
        ? 'web-nginx-1 was rolled back: the old container is running again and healthy.'
        : 'Neither the new nor the old version of web-nginx-1 serves.',
    finishedAt: new Date().toISOString(),
    error: { code: 'unhealthy', message: UNHEALTHY },
  });
}

/** Ended well, with something left to do. */
export function aGoodOne(store: Store): Update {
  const update = store.updates.insert(
    aNewUpdate({ container: GITEA.name, to: { reference: 'gitea/gitea:1.24.5', digest: digest('8') } }),
  );
  withSteps(store, update, [
    ...PREPARED_STEPS,
    ['recreate', 'succeeded', 'git-gitea-1 runs the new image'],
    ['health_check', 'succeeded', 'Gitea answers 200 pass on /api/healthz'],
    ['cleanup', 'succeeded', 'the old container is removed'],
  ]);
  return store.updates.change(update.id, {
    status: 'succeeded',
    finishedAt: new Date().toISOString(),
    followUp:
      'In /srv/git/docker-compose.yml, service gitea, change the line "image: gitea/gitea:1.24.4" to "image: gitea/gitea:1.24.5".',
  });
}

const DRILL = {
  status: 'passed',
  at: new Date(Date.now() - 3 * 24 * HOUR).toISOString(),
  words:
    'Restored: database gitea of git-db-1 (112 tables, 48210 rows). Read to the end: files /data of git-gitea-1 (9120 entries).',
} as const;

export function aBackup(store: Store, project: string, status: 'succeeded' | 'failed'): void {
  const { id } = store.backups.insert({ project, container: null, reason: 'schedule', updateId: null });
  const finishedAt = new Date(Date.now() - 9 * HOUR).toISOString();
  store.backups.change(
    id,
    status === 'succeeded'
      ? { status, finishedAt, verifiedAt: finishedAt, bytes: 432_743_112, url: `s3://backups/${project}/${id}` }
      : {
          status,
          finishedAt,
          error: { code: 'storage_unreachable', message: 'The bucket backups does not answer: connect ETIMEDOUT.' },
        },
  );
  if (status === 'succeeded') store.backups.endDrill(id, DRILL);
}

/** One that retention has given up, and one that waits for its turn. */
function otherBackups(store: Store): void {
  const at = new Date(Date.now() - 240 * HOUR).toISOString();
  const old = store.backups.insert({ project: 'git', container: null, reason: 'schedule', updateId: null });
  const taken = { finishedAt: at, verifiedAt: at, bytes: 401_234_567, url: `s3://backups/git/${old.id}` };
  store.backups.change(old.id, { status: 'succeeded', ...taken });
  const words = '1 database restored into a server of its own: 87 tables, 12,403 rows; 2 archives read to their end';
  store.backups.endDrill(old.id, { status: 'passed', at, words });
  store.backups.prune(old.id, 'There is a newer one for each day, week and month that is kept.');
  store.backups.insert({ project: null, container: 'wiki', reason: 'operator', updateId: null });
}

/** One container that a person must join to its network again, and one that was mended. */
function lostNetworks(store: Store): void {
  store.notices.open('network_lost', 'web-nginx-1', 'web-nginx-1 has lost its network: docker compose up -d nginx');
  const words =
    'web-edge-1, whose network it uses, was started again (2026-11-23 03:00:34 UTC), so web-nginx-1 was restarted to re-attach it.';
  store.incidents.add({ container: 'web-nginx-1', words });
}

/** As the service tells them: with a last run, without one, switched off. */
export function someTimers(): TimerView[] {
  const at = (hours: number): string => new Date(Date.now() + hours * HOUR).toISOString();
  const last = { at: at(-16), outcome: 'Requested: git, web.', trouble: null };
  return [
    { name: 'backup', nextAt: at(8), last },
    { name: 'renewal', nextAt: at(80), last: null },
    { name: 'reconcile', nextAt: null, last: null },
  ];
}

/** One that is well, one near its end that the server has not replaced, one that cannot be seen; and renewals of each kind. */
function someCertificates(store: Store): void {
  const now = new Date();
  const well = aCertificate({ left: 61.5, now });
  store.certificates.replace([
    aSeen({ disk: well, served: well }),
    aSeen({ name: 'www.example.org', disk: well, served: aCertificate({ left: 6.5, now }) }),
    aSeen({
      name: 'old.example.org',
      disk: null,
      served: null,
      problem: 'old-nginx-1 is not running: docker start old-nginx-1',
    }),
  ]);
  const { before, after, error, detail, dueAt } = aRenewal();
  const { id } = store.renewals.insert({ reason: 'schedule', dueAt });
  const finishedAt = now.toISOString();
  store.renewals.change(id, { before, after, error, detail, finishedAt, status: 'failed', outcome: 'failed' });
  store.renewals.insert({ reason: 'retry', dueAt: new Date(now.getTime() + 9 * HOUR).toISOString() });
}

/** All that the operator page can show. */
export function fillHost(store: Store): { waiting: Update; running: Update; good: Update; back: Update; down: Update } {
  aBackup(store, 'git', 'succeeded');
  aBackup(store, 'web', 'failed');
  otherBackups(store);
  someCertificates(store);
  lostNetworks(store);
  const good = aGoodOne(store);
  const back = aBrokenOne(store, 'rolled_back');
  const down = aBrokenOne(store, 'rollback_failed');
  const at = new Date(Date.now() - HOUR).toISOString();
  store.refusals.add({ container: 'web-nginx-1', digest: digest('9'), why: 'failed', updateId: back.id, at });
  store.refusals.add({ container: DATABASE.name, digest: digest('7'), why: 'declined', updateId: good.id, at });
  const target = { reference: 'nginx', digest: digest('1') };
  store.inbox.accept({ body: '{}', event: { target, platform: 'linux/amd64', status: 'update', releaseNotes: null } });
  store.inbox.reject('{"diun_version": "4.33.0",\n "status": "update"', 'The body is not JSON.');
  const mail = { updateId: null, html: '<p>…</p>', text: '…' };
  const late = store.outbox.add({ ...mail, kind: 'update_failed', subject: '[diun-pilot] web-nginx-1: update failed' });
  store.outbox.refused(late, '550 5.7.1 Sender address rejected: not owned by user');
  store.updates.insert(
    aNewUpdate({
      container: null,
      from: null,
      policy: null,
      status: 'ignored',
      reason: 'No watched container runs an image of this repository.',
    }),
  );
  const waiting = offered(store, GITEA, 'gitea/gitea:1.24.6');
  return { waiting, running: aRunningOne(store), good, back, down };
}
