import { capitalised } from '../../domain/format';
import { askedPlatform, layerFiles } from '../../containers/carry-over/layer-files';
import { carryOverRefusals, refusalsText } from '../../containers/carry-over/refusals';
import { freeAsSeenBy, noteDisk } from '../../services/look-at-disk';
import { readContainers } from '../../containers/read-containers';
import { judgeDisk } from '../../domain/disk/df';
import { whyNotRunning } from '../../domain/decision/guards';
import type { ImageInspect } from '../../domain/engine-inspect';
import { PilotError } from '../../domain/errors';
import { neighbourTexts } from '../../domain/health/neighbour';
import { dataDirectoryOf } from '../../domain/plan/postgres-major';
import { copiedText, lostText, newVolumeRefusals, type Refusal } from '../../domain/recreate/carry-over';
import { newVolumes } from '../../domain/recreate/own-mounts';
import { differingPlatforms, platformOf } from '../../domain/recreate/platform';
import { approvedMajor } from '../major/data-directory';
import { noteNeighbours } from '../neighbours/note-neighbours';
import { neighboursOf } from '../neighbours/see-to-neighbours';
import { newImageOf } from '../pull-by-digest';
import { checkpoint, type Run } from '../run';
import { testNginxConfig } from './nginx-config';
import { comparePostgres } from './postgres-major';

/**
 * Everything that can be known before the old container is replaced. Rejects with `preflight_failed`: then the new image
 * cannot work here; with `preflight_blocked`: then its surroundings allow no update now; or with `container_not_running`. Nothing was changed.
 */
export async function preflight(run: Run): Promise<string> {
  const found = await lookAhead(run, await newImageOf(run));
  await noteNeighbours(run, await readContainers(run.engine, run.selfId));
  found.push(...neighbourTexts(neighboursOf(run)));
  return found.length === 0 ? 'no problem found' : found.join('; ');
}

/** What speaks for the new image, as sentences; rejects as `preflight` when something speaks against it. */
export async function lookAhead(run: Run, newImage: ImageInspect): Promise<string[]> {
  mustRun(run);
  const oldImage = await run.engine.inspectImage(run.old.Image);
  const files = await layerFiles(run.engine, run.old);
  const { platform } = await askedPlatform(run.engine, run.old, oldImage);
  const layer = { copied: files.copied, lost: files.lost.length };
  checkpoint(run, run.journal.stage, { layer, ...(platform === undefined ? {} : { platform }) });
  const looked = { container: run.container, inspect: run.old, image: oldImage, files };
  mustCarryOver(run, await carryOverRefusals(run, looked));
  mustHaveSamePlatform(run, oldImage, newImage);
  const major = approvedMajor(run);
  // First: it has more to say of an image of PostgreSQL that declares another volume.
  const postgres = await comparePostgres(run, newImage, major?.to);
  const volumes = newVolumes(run.old, newImage, major === null ? undefined : dataDirectoryOf(run.old));
  mustCarryOver(run, newVolumeRefusals(volumes));
  const checks = [
    postgres,
    await testNginxConfig(run, newImage, files.copied),
    copiedText(files),
    lostText(run.container.name, files),
  ];
  return checks.filter((check) => check !== null);
}

function mustCarryOver(run: Run, refusals: readonly Refusal[]): void {
  const [first] = refusals;
  if (first === undefined) return;
  const message = `${run.container.name} cannot be re-created exactly as it is. ${refusalsText(refusals)} Nothing was changed.`;
  throw new PilotError(first.code, message);
}

/** `platform:` of Compose leaves no trace but the image. */
function mustHaveSamePlatform({ old, container, update }: Run, oldImage: ImageInspect, newImage: ImageInspect): void {
  const differing = differingPlatforms(platformOf(old, oldImage), platformOf({}, newImage));
  if (differing === null) return;
  const [before, after] = differing;
  const what = `platform: ${container.name} runs ${before}, and the pulled ${update.to.reference} is ${after}.`;
  throw new PilotError(
    'recreate_refused',
    `${what} Nothing was changed. Use a tag that has ${before}, or re-create the container for the other platform with docker compose.`,
  );
}

/** `old` was read before any container was stopped. That it does not run is not the new image's fault. */
function mustRun({ old: { State }, container: { name } }: Run): void {
  const why = whyNotRunning({ name, running: State.Running, status: State.Status });
  if (why !== null) throw new PilotError('container_not_running', why);
}

/**
 * A disk of the engine that is nearly full, as words for the step, before anything is stopped or pulled; null: there is room, or
 * it is not known. Asked in the container that is updated. Rejects with `preflight_blocked` if there is certainly too little.
 */
export async function checkDiskSpace(run: Run): Promise<string | null> {
  if (!run.old.State.Running || run.old.State.Status === 'paused') return null;
  const free = await freeAsSeenBy(run, run.old.Id);
  if (free === null) return null;
  noteDisk(run, free);
  const { refused, words } = judgeDisk(free);
  if (words === null || !refused) return words;
  const message = `${capitalised(words)}. No update can work with so little. Nothing was changed. Make room (docker image prune -a), then run: diun-pilot update ${run.journal.containerName}`;
  throw new PilotError('preflight_blocked', message);
}
