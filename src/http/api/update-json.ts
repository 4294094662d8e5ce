import type { BackupRecord } from '../../domain/backups/backup';
import type { Rehearsal } from '../../domain/rehearsal/rehearsal';
import type { Update } from '../../domain/update';
import type { Store } from '../../ports/store';
import type { UpdateJson } from './schemas';

/** An update as the outside sees it (docs/api.md), joined with the backup taken for it and its newest rehearsal. */
export function updateJson(
  update: Update,
  backup: BackupRecord | null,
  rehearsal: Rehearsal | null,
  soak?: UpdateJson['soak'],
): UpdateJson {
  return {
    id: update.id,
    kind: update.kind,
    container: update.container,
    project: update.project,
    service: update.service,
    policy: update.policy,
    status: update.status,
    reason: update.reason,
    source: update.source,
    from: update.from,
    to: update.to,
    createdAt: update.createdAt,
    startedAt: update.startedAt,
    finishedAt: update.finishedAt,
    approval: approvalJson(update.approval),
    rehearsal: rehearsal === null ? null : rehearsalJson(rehearsal),
    notBefore: update.notBefore,
    notes: update.notes ?? null,
    signature: update.signature ?? null,
    backup: backup === null ? null : { id: backup.id, url: backup.url, bytes: backup.bytes },
    ...(soak === undefined ? {} : { soak }),
    steps: update.steps,
    error: update.error,
    followUp: update.followUp,
  };
}

function approvalJson(approval: Update['approval']): UpdateJson['approval'] {
  if (approval === null) return null;
  const { status, expiresAt, decidedAt, decidedBy = null } = approval;
  return { status, expiresAt, decidedAt, decidedBy };
}

/** A queued rehearsal is reported as running, and counts from its request. */
function rehearsalJson({
  status,
  createdAt,
  startedAt,
  finishedAt,
  seconds,
  detail,
}: Rehearsal): UpdateJson['rehearsal'] {
  const shown = status === 'queued' ? 'running' : status;
  return { status: shown, startedAt: startedAt ?? createdAt, finishedAt, seconds, detail };
}

/** As `updateJson`, with backup and rehearsal looked up. */
export function jsonOf(store: Store, update: Update): UpdateJson {
  return updateJson(update, store.backups.of(update), store.rehearsals.of(update.id), soakOf(store, update.id));
}

/** Its soak, with the time at which the old container is removed; undefined: it has none. */
export function soakOf(store: Store, updateId: string): UpdateJson['soak'] {
  const soak = store.soaks.of(updateId);
  if (soak === null) return undefined;
  const { until, failure, outcome, oldContainerId } = soak;
  const keptUntil = store.keptContainers.find(oldContainerId)?.keepUntil ?? null;
  return { status: soak.status === 'chosen' ? 'rolling_back' : soak.status, until, keptUntil, failure, outcome };
}
