import { stoppedForBackup, whoGoesOn } from '../backups/writers';
import { readContainers } from '../containers/read-containers';
import { isServer, isStateBefore, membersOf, backupPlaceOf } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { changeAsDetail, hasChanged } from '../domain/data/compare-fingerprints';
import type { DatabaseServer } from '../domain/data/data-fingerprint';
import { PilotError, rethrowEngineLost } from '../domain/errors';
import { otherScales, type Scaled } from '../domain/services/rollout';
import type { Progress } from '../lib/logger';
import { asReadNow, readServices } from '../services/read-targets';
import { backUpSet } from '../updates/backup/back-up-project';
import { canBeStored, fetchInAdvance, mustStillBeStored, passesPreflight } from '../updates/backup/quiesce';
import { changeInStage, fingerprintBefore } from '../updates/fingerprint/data-change';
import { Skipped } from '../updates/run';
import { preflightService, pullHere } from './preflight-rollout';
import { checkpointRollout, serviceIsGone, type ServiceRun } from './rollout-run';
import { howTheyAre, scaledUpByOthers, scaleToZero } from './scale-to-zero';

/**
 * Backs up the whole set of the service's stack, verified, then reads what the update can change. Where the service holds data,
 * those of the set that allow it (`backup.quiesce: allowed`) are scaled to 0 first, and stay so until the new version is healthy or
 * the old one runs again. Databases are dumped by their own servers, which run; files of a service that may not be scaled are
 * read while it runs, and the backup says so. Rejects when it fails: no backup, no update.
 */
export async function backUpStack(run: ServiceRun, progress: Progress): Promise<string | Skipped> {
  const { target } = run;
  if (target === null) throw serviceIsGone(run.rollout.name);
  const all = await readServices(run, await readContainers(run.engine, run.selfId));
  const members = membersOf(backupPlaceOf(target), all);
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
  if (fingerprint !== null) checkpointRollout(run, 'preparing', { fingerprint });
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
  const lookAhead = async (): Promise<void> =>
    checkpointRollout(run, 'preparing', { lookedAhead: await preflightService(run) });
  if (!(await passesPreflight(lookAhead)) || !(await canBeStored(run))) return false;
  const { scaled, idle } = await howTheyAre(run, writers);
  checkpointRollout(run, 'preparing', { scaled, idle, scaledAt: run.clock.now().toISOString() });
  for (const each of scaled.toReversed()) await scaleToZero(run, each, progress);
  await mustStillBeStored(run, scaled);
  return whoGoesOn(target, all).length === 0;
}

/** A member that was scaled to 0 has no container of its own now. */
function throughReader({ rollout }: Pick<ServiceRun, 'rollout'>, member: Container): Container {
  const reader = rollout.scaled?.find(({ serviceId }: Scaled) => serviceId === member.id)?.reader;
  if (reader === undefined || member.swarm === undefined) return member;
  return { ...member, swarm: { ...member.swarm, data: { containerId: reader } } };
}

/** What the new version has changed in the databases of its stack, as text; empty where none is concerned. */
export async function changedData(run: ServiceRun, progress: Progress): Promise<string[]> {
  const change = await changeInStage(run, run.rollout, {
    serversNow: (then) => serversNow(run, then),
    save: (dataChange) => checkpointRollout(run, run.rollout.stage, { dataChange }),
    progress,
  });
  return change === null ? [] : [changeAsDetail(change)];
}

/** The new version is known to have changed the data. */
export function rolloutChangedData({ rollout }: Pick<ServiceRun, 'rollout'>): boolean {
  return hasChanged(rollout.dataChange);
}

/** Only from a backup after which no known service has written, so that nothing is lost but what the new version did. */
export async function mayRestoreStack(run: ServiceRun): Promise<boolean> {
  const { store, update, rollout } = run;
  if (!isStateBefore(store.backups.of(update), update) || rollout.released === true) return false;
  return (await scaledUpByOthers(run, otherScales(rollout))).length === 0;
}

/** While its backup was unpacked, another client may have scaled a service up, also the updated one: it may have written since. */
export async function mustBeAtZero(run: ServiceRun): Promise<void> {
  const names = await scaledUpByOthers(run, run.rollout.scaled ?? []);
  if (names.length === 0) return;
  throw new PilotError(
    'restore_failed',
    `Another client scaled up ${names.join(', ')} while the backup was unpacked, and a restore could lose data written since.`,
  );
}

/** The members of the set as containers: the databases' tasks of now, and for files what they are read through. */
export async function membersNow(run: ServiceRun): Promise<Container[]> {
  const { target, engine } = run;
  if (target === null) return [];
  const members = membersOf(backupPlaceOf(target), await readServices(run, await readContainers(engine, run.selfId)));
  return Promise.all(members.map((member) => asReadNow(engine, throughReader(run, member))));
}

/** Each task has a container of its own. One that is not there now could not be read, and is said so. */
async function serversNow(run: ServiceRun, servers: readonly DatabaseServer[]): Promise<DatabaseServer[]> {
  const services = await readServices(run, []);
  return Promise.all(
    servers.map(async (server) => {
      const service = services.find(({ name }) => name === server.name);
      if (service === undefined) return server;
      try {
        return { ...server, id: (await asReadNow(run.engine, service)).id };
      } catch (error) {
        rethrowEngineLost(error);
        return server;
      }
    }),
  );
}
