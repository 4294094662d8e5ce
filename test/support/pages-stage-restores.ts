import { restoreUrl, soakUrl } from '../../src/decisions/recovery-links';
import type { BackupItem, BackupRecord } from '../../src/domain/backups/backup';
import { restoredDetail } from '../../src/domain/backups/restore';
import type { Failure } from '../../src/domain/errors';
import type { Journal } from '../../src/domain/journal';
import type { Update } from '../../src/domain/update';
import type { SchemaSeen } from '../../src/domain/soak/soak';
import type { Store } from '../../src/ports/store';
import { digest } from './container-builder';
import { APPROVAL_SECRETS, RESTORE_LINKS } from './http-app';
import { GITEA, PREPARED_STEPS, withSteps } from './pages-stage';
import { aNewUpdate } from './update-builder';

// Updates after which data was restored, or waits to be, and those whose old container was never stopped.

const HOUR = 3_600_000;
const REFUSED =
  'Not healthy within 10 minutes: it exits with 1.\nThe last lines of its log:\n[F] Your database (migration version: 323) is for a newer Gitea, you can not use the newer database for this old Gitea release (321).';
const KEPT = [
  {
    what: 'database gitea from before: gitea.diun-pilot-before-1c2d3e4f5a in git-db-1',
    remove: 'docker exec -u postgres git-db-1 dropdb gitea.diun-pilot-before-1c2d3e4f5a',
  },
  {
    what: '/data from before: /data/.diun-pilot-before-1c2d3e4f5a in git-gitea-1',
    remove: 'docker exec git-gitea-1 rm -rf /data/.diun-pilot-before-1c2d3e4f5a',
  },
];

function aGiteaUpdate(store: Store): Update {
  const { name: container, project, service } = GITEA;
  const from = { reference: 'gitea/gitea:1.24.5', digest: digest('a') };
  const to = { reference: 'gitea/gitea:1.25.0', digest: digest('5') };
  const update = store.updates.insert(aNewUpdate({ container, project, service, policy: 'manual', from, to }));
  withSteps(store, update, [
    ...PREPARED_STEPS,
    ['recreate', 'succeeded', 'git-gitea-1 runs the new image'],
    ['health_check', 'failed', 'Not healthy within 10 minutes: /api/healthz answers 500.'],
    ['rollback', 'succeeded', 'the old container 3f2a91c07bd4 is started again'],
    ['rollback_health_check', 'failed', REFUSED],
  ]);
  return update;
}

function itsBackup(store: Store, { id }: Update, at: string): BackupRecord {
  const taken = store.backups.insert({ project: 'git', container: null, reason: 'update', updateId: id });
  const item: BackupItem = {
    ...{ container: 'git-db-1', service: 'db', kind: 'database', name: 'gitea', key: `git/${taken.id}/01.dump` },
    ...{
      image: { reference: 'postgres:17.4', imageId: digest('b') },
      bytes: 432_743_112,
      sha256: '',
      verified: 'whole',
    },
    compression: 'none',
  };
  const url = `s3://backups/git/${taken.id}`;
  const end = { finishedAt: at, verifiedAt: at, bytes: item.bytes };
  return store.backups.change(taken.id, { status: 'succeeded', quiesced: true, url, ...end, items: [item] });
}

/** Neither version serves, so that the mail asks whether to restore: the update, and the path of its link. */
export function askedToRestore(store: Store, agoMs = HOUR): { update: Update; backup: BackupRecord; link: string } {
  const asked = aGiteaUpdate(store);
  const finishedAt = new Date(Date.now() - agoMs).toISOString();
  const backup = itsBackup(store, asked, finishedAt);
  const update = store.updates.change(asked.id, {
    ...{ status: 'rollback_failed', finishedAt, backupId: backup.id },
    reason: 'Neither the new nor the old version of git-gitea-1 serves.',
    error: { code: 'rollback_failed', message: REFUSED },
  });
  return { update, backup, link: restoreUrl(RESTORE_LINKS, update, backup, true) ?? '' };
}

/** The same, and the button was pressed. */
export function restoreOf(store: Store, status: 'queued' | 'running' | 'succeeded' | 'failed'): string {
  const { update, backup, link } = askedToRestore(store);
  const { id } = store.restores.insert({
    ...{ backupId: backup.id, folder: `git/${backup.id}`, url: backup.url ?? '', target: null, updateId: update.id },
  });
  const now = new Date().toISOString();
  const startedAt = status === 'queued' ? null : now;
  const finishedAt = status === 'queued' || status === 'running' ? null : now;
  const detail = { queued: null, running: 'restoring the database gitea', succeeded: null, failed: null }[status];
  const error: Failure = {
    code: 'restore_not_healthy',
    message: `The data is restored, but git-gitea-1: ${REFUSED}`,
  };
  store.restores.change(id, {
    ...{ status, startedAt, finishedAt, detail },
    ...(status === 'succeeded' ? { detail: 'The data is restored. git-db-1 and git-gitea-1 are healthy.' } : {}),
    ...(finishedAt === null ? {} : { kept: KEPT }),
    ...(status === 'failed' ? { error } : {}),
  });
  return link;
}

/** The old version refused what the new one had made of the data, and serves again with that from before. */
export function restoredByItself(store: Store): Update {
  const update = aGiteaUpdate(store);
  const backup = itsBackup(store, update, new Date(Date.now() - HOUR).toISOString());
  const kept = [restoredDetail(backup.createdAt, KEPT)];
  withSteps(store, update, [
    ['restore', 'succeeded', kept.join('\n')],
    ['restore_health_check', 'succeeded', 'Gitea answers 200 pass on /api/healthz'],
  ]);
  return store.updates.change(update.id, {
    ...{ status: 'rolled_back', finishedAt: new Date().toISOString(), backupId: backup.id },
    reason: 'git-gitea-1 was rolled back, its data restored: the old container is running again and healthy.',
    error: { code: 'unhealthy', message: 'Not healthy within 10 minutes: /api/healthz answers 500.' },
  });
}

/** A handover that failed beside the old container, which served on. */
export function servedOnThroughout(store: Store): Update {
  const update = store.updates.insert(aNewUpdate({ to: { reference: 'nginx:1.28', digest: digest('6') } }));
  const unhealthy = 'Not healthy within 2 minutes: nothing that it opened listens on port 80.';
  withSteps(store, update, [
    ['backup', 'succeeded', 'nothing to back up'],
    ...PREPARED_STEPS.slice(1),
    ['recreate', 'succeeded', 'the new container runs next to the old one'],
    ['health_check', 'failed', unhealthy],
    ['rollback', 'succeeded', 'the new container is removed; the old one was never stopped'],
    ['rollback_health_check', 'succeeded', 'nginx answers on port 80, seen twice'],
  ]);
  store.updates.saveJournal(update.id, { oldStopped: false, stopped: [] as Journal['stopped'] } as Journal);
  return store.updates.change(update.id, {
    ...{ status: 'rolled_back', finishedAt: new Date().toISOString() },
    reason: 'web-nginx-1 was not handed over: the old container served on.',
    error: { code: 'unhealthy', message: unhealthy },
  });
}

/** The new version worked for hours and then failed in its soak: the path of its link. `hours`: until the link expires. */
export function failedInSoak(store: Store, schema: SchemaSeen, hours = 70, oldIsThere = true): string {
  const at = (offset: number): string => new Date(Date.now() + offset * HOUR).toISOString();
  const update = aGiteaUpdate(store);
  const { id: backupId } = itsBackup(store, update, at(-5));
  store.backups.change(backupId, { startedAt: at(-5) });
  store.updates.change(update.id, { status: 'succeeded', finishedAt: at(-5), backupId, reason: 'It is healthy.' });
  const oldContainerId = `old-of-${update.id}`;
  const soaks: Partial<Journal> = { stopped: [], soak: { ms: HOUR, holdsData: true, changesSet: true, restarts: 0 } };
  store.updates.saveJournal(update.id, soaks as Journal);
  store.soaks.begin({
    ...{ updateId: update.id, container: GITEA.name, containerId: digest('e').slice(7), oldContainerId, until: at(5) },
    ...{ restarts: 0, holdsData: true },
  });
  if (oldIsThere)
    store.keptContainers.add({
      ...{ containerId: oldContainerId, container: GITEA.name, name: `${GITEA.name}.diun-pilot-old-1c2d3e4f5a` },
      ...{ updateId: update.id, reason: 'For its soak.', leftover: false, keepUntil: at(hours) },
    });
  const soak = store.soaks.change(update.id, {
    ...{ status: 'deciding', schema, failedAt: at(-2), decideUntil: at(hours) },
    failure: `${GITEA.name} failed 3 h 0 min after its update, during its soak: it exited and was restarted 4 times.\nThe last lines of its log:\n[F] fatal: unable to allocate memory`,
    schemaDetail:
      schema === 'changed'
        ? 'The new version changed the schema: database gitea of git-db-1: version 321 → 323, 2 columns added (repository.topics, user.visibility_level_of_the_profile).'
        : 'It uses no database whose schema could be compared with that from before the update.',
  });
  return new URL(soakUrl({ publicUrl: 'http://localhost', approvalSecrets: APPROVAL_SECRETS }, soak)).pathname;
}
