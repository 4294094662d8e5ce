import { dependentsOf } from '../domain/depends-on';
import type { ContainerInspect } from '../domain/engine-inspect';
import { PilotError } from '../domain/errors';
import { networkOwner } from '../domain/network-owner';
import type { Engine } from '../ports/engine';
import { testNginxConfig } from './preflight-nginx';
import { comparePostgres } from './preflight-postgres';
import { newImageOf } from './prepare-replacement';
import { inspectIfThere, readContainers } from './read-containers';
import type { Run } from './run';
import { reach } from './run';

/**
 * Everything that can be known before the old container is stopped. Rejects with `preflight_failed`: then the new image
 * cannot work here, and nothing was changed.
 */
export async function preflight(run: Run): Promise<string> {
  const newImage = await newImageOf(run);
  mustRun(run);
  await mustHaveItsNetwork(run);
  await mustNotLendItsNetwork(run);
  const checks = [await comparePostgres(run, newImage), await testNginxConfig(run, newImage)];
  const dependents = await wellDependents(run);
  reach(run, 'preparing', { dependents });
  const found = checks.filter((check) => check !== null);
  if (dependents.length > 0) found.push(`${dependents.join(', ')} will be looked at too, for depending on it`);
  return found.length === 0 ? 'nothing speaks against it' : found.join('; ');
}

function mustRun({ old, container }: Run): void {
  if (old.State.Running) return;
  throw new PilotError(
    'preflight_failed',
    `${container.name} does not run (${old.State.Status}), so nobody could tell whether an update works. Start it first: docker start ${container.name}`,
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
  const all = await inspectThose(engine, await engine.containerIds());
  const guests = all.filter((other) => networkOwner(other) === old.Id);
  if (guests.length === 0) return;
  throw new PilotError(
    'preflight_failed',
    `${guests.map(({ Name }) => Name.slice(1)).join(', ')} live in the network of ${container.name} (network_mode) and would lose it. Update it with docker compose, which recreates them together.`,
  );
}

async function wellDependents({ engine, old, container, selfId }: Run): Promise<string[]> {
  const all = await readContainers(engine, selfId);
  const dependents = dependentsOf(container, all).map(({ id }) => id);
  return (await inspectThose(engine, dependents))
    .filter(({ Id, State }) => Id !== old.Id && State.Running && State.Health?.Status !== 'unhealthy')
    .map(({ Name }) => Name.slice(1));
}

async function inspectThose(engine: Engine, ids: string[]): Promise<ContainerInspect[]> {
  const inspects = await Promise.all(ids.map((id) => inspectIfThere(engine, id)));
  return inspects.filter((inspect) => inspect !== null);
}
