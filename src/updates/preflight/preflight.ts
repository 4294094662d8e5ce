import { readContainers } from '../../containers/read-containers';
import { inspectIfReadable } from '../../containers/unreadable';
import { dependentsOf } from '../../domain/depends-on';
import type { ContainerInspect, ImageInspect } from '../../domain/engine-inspect';
import { PilotError } from '../../domain/errors';
import { copiedText, lostText } from '../../domain/recreate/carry-over';
import { platformOf, platformText } from '../../domain/recreate/platform';
import { isWell } from '../../domain/well';
import type { Engine } from '../../ports/engine';
import { layerFiles } from '../../containers/carry-over/layer-files';
import { carryOverRefusals, refusalsText } from '../../containers/carry-over/refusals';
import { newImageOf } from '../pull-by-digest';
import type { Run } from '../run';
import { reach } from '../run';
import { testNginxConfig } from './nginx-config';
import { comparePostgres } from './postgres-major';

/**
 * Everything that can be known before the old container is replaced. Rejects with `preflight_failed`: then the new image
 * cannot work here; with `preflight_blocked`: then its surroundings allow no update now; or with `container_not_running`. Nothing was changed.
 */
export async function preflight(run: Run): Promise<string> {
  const found = await lookAhead(run, await newImageOf(run));
  const dependents = await wellDependents(run);
  reach(run, 'preparing', { dependents });
  if (dependents.length > 0) found.push(`${dependents.join(', ')} will be looked at too, for depending on it`);
  return found.length === 0 ? 'nothing speaks against it' : found.join('; ');
}

/** What speaks for the new image, as sentences; rejects as `preflight` when something speaks against it. */
export async function lookAhead(run: Run, newImage: ImageInspect): Promise<string[]> {
  mustRun(run);
  const oldImage = await run.engine.inspectImage(run.old.Image);
  await mustCarryOver(run, oldImage);
  mustHaveSamePlatform(run, oldImage, newImage);
  const files = await layerFiles(run.engine, run.old);
  const checks = [
    await comparePostgres(run, newImage),
    await testNginxConfig(run, newImage, files.copied),
    copiedText(files),
    lostText(run.container.name, files),
  ];
  return checks.filter((check) => check !== null);
}

async function mustCarryOver(run: Run, image: ImageInspect): Promise<void> {
  const refusals = await carryOverRefusals(run, { container: run.container, inspect: run.old, image });
  const [first] = refusals;
  if (first === undefined) return;
  const message = `${run.container.name} cannot be replaced by the same container. ${refusalsText(refusals)} Nothing was stopped.`;
  throw new PilotError(first.code, message);
}

/** `platform:` of Compose leaves no trace but the image. */
function mustHaveSamePlatform({ old, container, update }: Run, oldImage: ImageInspect, newImage: ImageInspect): void {
  const [before, after] = [platformOf(old, oldImage), platformOf({}, newImage)];
  if (before === null || after === null || platformText(before) === platformText(after)) return;
  const what = `platform: ${container.name} runs ${platformText(before)}, and the pulled ${update.to.reference} is ${platformText(after)}.`;
  throw new PilotError(
    'recreate_refused',
    `${what} Nothing was stopped. Use a tag that has ${platformText(before)}, or re-create the container for the other platform with docker compose.`,
  );
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
  const inspects = await Promise.all(ids.map((id) => inspectIfReadable(engine, id)));
  return inspects.filter((inspect) => inspect !== null);
}
