import { inspectIfThere } from '../../containers/if-there';
import { inspectAll } from '../../containers/inspect-all';
import { readContainers } from '../../containers/read-containers';
import { dependentsOf } from '../../domain/depends-on';
import type { ContainerInspect, ImageInspect } from '../../domain/engine-inspect';
import { PilotError } from '../../domain/errors';
import { networkOwner } from '../../domain/network-owner';
import { isWell } from '../../domain/well';
import type { Engine } from '../../ports/engine';
import { newImageOf } from '../pull-by-digest';
import type { Run } from '../run';
import { reach } from '../run';
import { testNginxConfig } from './nginx-config';
import { comparePostgres } from './postgres-major';

/**
 * Everything that can be known before the old container is replaced. Rejects with `preflight_failed`: then the new image
 * cannot work here; or with `container_not_running`. Nothing was changed.
 */
export async function preflight(run: Run): Promise<string> {
  const found = await lookAhead(run, await newImageOf(run));
  const dependents = await wellDependents(run);
  reach(run, 'preparing', { dependents });
  if (dependents.length > 0) found.push(`${dependents.join(', ')} will be looked at too, for depending on it`);
  return found.length === 0 ? 'nothing speaks against it' : found.join('; ');
}

/** What speaks for the new image, in words; rejects as `preflight` when something speaks against it. */
export async function lookAhead(run: Run, newImage: ImageInspect): Promise<string[]> {
  mustRun(run);
  await mustHaveItsNetwork(run);
  await mustNotLendItsNetwork(run);
  const checks = [await comparePostgres(run, newImage), await testNginxConfig(run, newImage)];
  return checks.filter((check) => check !== null);
}

/** `old` was looked at before anybody was stopped. That it does not run is not the new image's fault. */
function mustRun({ old, container: { name } }: Run): void {
  const paused = old.State.Status === 'paused';
  if (old.State.Running && !paused) return;
  const mend = paused ? `Let it go on first: docker unpause ${name}` : `Start it first: docker start ${name}`;
  throw new PilotError(
    'container_not_running',
    `${name} does not run (${old.State.Status}), so nobody could tell whether an update works. ${mend}`,
  );
}

/** A container that was made anew has another id, and nobody can be started in the network of the one that is gone. */
async function mustHaveItsNetwork({ engine, old, container }: Run): Promise<void> {
  const owner = networkOwner(old);
  if (owner === null) return;
  const found = await inspectIfThere(engine, owner);
  if (found?.State.Running) return;
  const mend =
    found === null
      ? 'is gone, so no new container can join it. Make both anew: docker compose up -d'
      : `is ${found.Name.slice(1)}, which does not run. Start it first: docker start ${found.Name.slice(1)}`;
  throw new PilotError(
    'preflight_failed',
    `The container in whose network ${container.name} lives (network_mode) ${mend}`,
  );
}

/** Whoever joined its network namespace would be left in one without ports (facts, Docker Engine, point 3). */
async function mustNotLendItsNetwork({ engine, old, container }: Run): Promise<void> {
  const guests = (await inspectAll(engine)).filter((other) => networkOwner(other) === old.Id);
  if (guests.length === 0) return;
  throw new PilotError(
    'preflight_failed',
    `${guests.map(({ Name }) => Name.slice(1)).join(', ')} live in the network of ${container.name} (network_mode) and would lose it. Update it with docker compose, which recreates them together.`,
  );
}

/** Of those that were stopped for the backup it is known how they were before. */
async function wellDependents({ engine, old, container, selfId, journal }: Run): Promise<string[]> {
  const all = await readContainers(engine, selfId);
  const dependents = dependentsOf(container, all).map(({ id }) => id);
  const stopped = new Map(journal.stopped.map(({ id, well }) => [id, well]));
  return (await inspectThose(engine, dependents))
    .filter((dependent) => dependent.Id !== old.Id && (stopped.get(dependent.Id) ?? isWell(dependent)))
    .map(({ Name }) => Name.slice(1));
}

async function inspectThose(engine: Engine, ids: string[]): Promise<ContainerInspect[]> {
  const inspects = await Promise.all(ids.map((id) => inspectIfThere(engine, id)));
  return inspects.filter((inspect) => inspect !== null);
}
