import { isServer, membersOf, placeOf } from '../domain/backups/backup';
import { stoppedForBackup, whoGoesOn } from '../backups/writers';
import type { Container } from '../domain/container';
import { codeOf, PilotError } from '../domain/errors';
import type { Scaled } from '../domain/services/rollout';
import type { Progress } from '../lib/logger';
import { readContainers } from '../containers/read-containers';
import { asReadNow, readServices } from '../services/read-targets';
import { backUpSet } from '../updates/backup/back-up-project';
import { canBeStored, fetchInAdvance, mustStillBeStored } from '../updates/backup/quiesce';
import { fingerprintBefore } from '../updates/fingerprint/data-change';
import { Skipped } from '../updates/run';
import { preflightService, pullHere } from './preflight-rollout';
import { checkpoint, type ServiceRun } from './rollout-run';
import { howTheyAre, scaledUpByOthers, scaleToZero } from './scale-to-zero';

/**
 * Backs up the whole set of the service's stack, verified, then reads what the update can change. Where the service holds data,
 * those of the set that allow it (`backup.quiesce: allowed`) are scaled to 0 first, and stay so until the new version is healthy or
 * the old one runs again. Databases are dumped by their own servers, which run; files of a service that may not be scaled are
 * read while it runs, and the backup says so. Rejects when it fails: no backup, no update.
 */
export async function backUpStack(run: ServiceRun, progress: Progress): Promise<string | Skipped> {
  const { target } = run;
  if (target === null)
    throw new PilotError('changed_meanwhile', `The service ${run.rollout.name} was removed externally.`);
  const all = await readServices(run, await readContainers(run.engine, run.selfId));
  const members = membersOf(placeOf(target), all);
  if (members.length === 0)
    return new Skipped('No service of its stack has the label backup.kind, so nothing is backed up.');
  const { detail, fresh } = await backUpSet(
    run,
    {
      ...{ target, all, members },
      quiesce: async () => {
        const quiesced = await quiesceStack(run, target, all, progress);
        return { quiesced, members: members.map((member) => throughReader(run, member)) };
      },
      stillQuiesced: async () => (await scaledUpByOthers(run, run.rollout.scaled ?? [])).length === 0,
      stopped: () => (run.rollout.scaled ?? []).map(({ name }) => name),
    },
    progress,
  );
  if (!fresh) return detail;
  const servers = await Promise.all(members.filter(isServer).map((member) => asReadNow(run.engine, member)));
  const fingerprint = await fingerprintBefore(run, target, servers, progress);
  if (fingerprint !== null) checkpoint(run, 'preparing', { fingerprint });
  return detail;
}

/** False: a service that may write goes on, or the update or its backup cannot work anyway. */
async function quiesceStack(
  run: ServiceRun,
  target: Container,
  all: readonly Container[],
  progress: Progress,
): Promise<boolean> {
  const writers = stoppedForBackup(target, all);
  if (writers.length === 0 || !(await fetchInAdvance(run, pullHere, progress))) return false;
  if (!(await mayWork(run)) || !(await canBeStored(run))) return false;
  const { scaled, idle } = await howTheyAre(run, writers);
  checkpoint(run, 'preparing', { scaled, idle, scaledAt: run.clock.now().toISOString() });
  for (const each of scaled.toReversed()) await scaleToZero(run, each, progress);
  await mustStillBeStored(run, scaled);
  return whoGoesOn(target, all).length === 0;
}

/** No service is scaled to 0 for an update that the step `preflight` will refuse. */
async function mayWork(run: ServiceRun): Promise<boolean> {
  try {
    checkpoint(run, 'preparing', { lookedAhead: await preflightService(run) });
    return true;
  } catch (error) {
    if (!['preflight_failed', 'preflight_blocked'].includes(codeOf(error))) throw error;
    return false;
  }
}

/** A member that was scaled to 0 has no container of its own now. */
export function throughReader({ rollout }: Pick<ServiceRun, 'rollout'>, member: Container): Container {
  const reader = rollout.scaled?.find(({ serviceId }: Scaled) => serviceId === member.id)?.reader;
  if (reader === undefined || member.swarm === undefined) return member;
  return { ...member, swarm: { ...member.swarm, data: { containerId: reader } } };
}
