import { isStateBefore, membersOf, placeOf } from '../domain/backups/backup';
import { readContainers } from '../containers/read-containers';
import type { Container } from '../domain/container';
import { changeAsDetail } from '../domain/data/compare-fingerprints';
import { PilotError, rethrowEngineLost } from '../domain/errors';
import type { DataChange, DatabaseServer } from '../domain/data/data-fingerprint';
import { otherScales } from '../domain/services/rollout';
import type { Progress } from '../lib/logger';
import { asReadNow, readServices } from '../services/read-targets';
import { changeSince } from '../updates/fingerprint/data-change';
import { throughReader } from './back-up-stack';
import { checkpoint, type ServiceRun } from './rollout-run';
import { scaledUpByOthers } from './scale-to-zero';

/** What the new version has changed in the databases of its stack, as text; empty where none is concerned. */
export async function changedData(run: ServiceRun, progress: Progress): Promise<string[]> {
  const change = await lookForChange(run, progress);
  return change === null ? [] : [changeAsDetail(change)];
}

/** Kept in the journal, and read once in each stage: what is compared after a crash must not hold what the old version did since. */
async function lookForChange(run: ServiceRun, progress: Progress): Promise<DataChange | null> {
  const { fingerprint, dataChange, stage } = run.rollout;
  if (fingerprint === undefined) return null;
  if (dataChange?.seenIn === stage) return dataChange;
  const seen = {
    ...(await changeSince(run, fingerprint, await serversNow(run, fingerprint.servers), progress)),
    seenIn: stage,
  };
  checkpoint(run, stage, { dataChange: seen });
  return seen;
}

/** The new version is known to have changed the data. */
export function hasChangedData({ rollout }: Pick<ServiceRun, 'rollout'>): boolean {
  return (rollout.dataChange?.changes.length ?? 0) > 0;
}

/** Only from a backup after which no known service has written, so that nothing is lost but what the new version did. */
export async function mayRestore(run: ServiceRun): Promise<boolean> {
  const { store, update, rollout } = run;
  const backup = update.backupId === null ? null : store.backups.get(update.backupId);
  if (!isStateBefore(backup, update) || rollout.released === true) return false;
  return (await scaledUpByOthers(run, otherScales(rollout))).length === 0;
}

/** While its backup was unpacked, another client may have scaled a service up, also the updated one: it may have written since. */
export async function mustBeAtZero(run: ServiceRun): Promise<void> {
  const names = await scaledUpByOthers(run, run.rollout.scaled ?? []);
  if (names.length === 0) return;
  const what = `scaled up externally while the backup was unpacked: ${names.join(', ')}`;
  throw new PilotError('restore_failed', `Data may have been written that a restore would lose. It was ${what}.`);
}

/** The members of the set as containers: the databases' tasks of now, and for files what they are read through. */
export async function membersNow(run: ServiceRun): Promise<Container[]> {
  const { target, engine } = run;
  if (target === null) return [];
  const members = membersOf(placeOf(target), await readServices(run, await readContainers(engine, run.selfId)));
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
