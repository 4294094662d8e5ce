import { asideName, asideParts } from '../containers/artifact-names';
import { withPresentVolumes } from '../containers/carry-over/copy-files';
import { askedPlatform } from '../containers/carry-over/layer-files';
import { insist, insistOr } from '../containers/insist';
import { adoptHolder, keepLeftover, keepWayBack } from '../containers/kept-containers';
import { imageIfThere, inspectByName, inspectIfThere } from '../containers/read-containers';
import { renameRestarting, startJoining, stopIfThere } from '../containers/start-stop-remove';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { type ErrorCode, isEngineLost, messageOf, type PilotError, rethrowEngineLost } from '../domain/errors';
import { digestReference, parseImageReference } from '../domain/images/image-reference';
import { listed } from '../domain/recreate/carry-over';
import { type Difference, differences } from '../domain/recreate/compare-containers';
import { createRequest } from '../domain/recreate/create-request';
import { oldIsWayBack } from '../domain/recreate/way-back';
import type { KeptContainer } from '../ports/stopped-containers';
import type { ActiveUpdate } from './run';
import { plural, shortId } from '../domain/format';
import { shellWord } from '../domain/text/shell';

/** `id`: the container that was started; null: none could be. */
export interface BroughtBack {
  words: string;
  id: string | null;
}

/**
 * Another process acted on the containers of this update (`docker compose up -d`, `docker rm -f`), so perhaps none runs:
 * then one whole container has the name and runs afterwards. In this order: the one that has the name; the old one, or the
 * new one once it was healthy, whatever its name is by now; one created again as the old one was. Resolves with what was
 * found and done; null: one runs, or the engine refuses to say. Rejects only with `engine_unreachable`.
 */
export async function bringBack(run: ActiveUpdate, error: PilotError | null): Promise<BroughtBack | null> {
  const { engine, journal, logger, update } = run;
  const { containerName: name } = journal;
  const bearer = await insistOr(run, `the look at ${name}`, () => inspectByName(engine, name), undefined);
  if (bearer === undefined) return null;
  // One that has the name and does not run may be as the image is: another process is to blame only where it was seen.
  if (bearer !== null && (bearer.State.Running || error?.code !== 'changed_meanwhile')) return null;
  try {
    const back = await startOne(run);
    logger.warn('a container was brought back', { update: update.id, reason: back.words });
    return back;
  } catch (error) {
    rethrowEngineLost(error);
    logger.error('no container could be brought back', { update: update.id, reason: messageOf(error) });
    const words = `No container named ${name} runs, and diun-pilot could not start one: ${messageOf(error)}`;
    return { words, id: null };
  }
}

/** The other process may go on meanwhile: what it removes after it was found is looked for again. */
const REPEATS: readonly ErrorCode[] = ['engine_refused', 'container_not_found', 'image_not_found'];

function startOne(run: ActiveUpdate): Promise<BroughtBack> {
  const act = async (): Promise<BroughtBack> => {
    const bearer = await inspectByName(run.engine, run.journal.containerName);
    return bearer === null ? bringOneBack(run) : startBearer(run, bearer);
  };
  return insist(run, `the end of update ${run.update.id}`, act, REPEATS);
}

/**
 * Created by another process and not running, perhaps because a container of this update has its ports: those are stopped first.
 * One that cannot start gives its name back to a container of this update, if there is one, and is kept under another.
 */
async function startBearer(run: ActiveUpdate, bearer: ContainerInspect): Promise<BroughtBack> {
  for (const id of ours(run)) if (id !== bearer.Id) await stopIfThere(run, id);
  try {
    await startJoining(run, bearer.Id);
  } catch (error) {
    if (isEngineLost(error) || !(await isInTheWay(run, bearer))) throw error;
    return bringOneBackInsteadOf(run, bearer, messageOf(error));
  }
  const words = `The container ${run.journal.containerName} (${shortId(bearer.Id)}) did not run, so diun-pilot started it.`;
  return { words, id: bearer.Id };
}

async function isInTheWay(run: ActiveUpdate, { Id }: ContainerInspect): Promise<boolean> {
  if (ours(run).includes(Id)) return false;
  const left = await Promise.all(ours(run).map((id) => inspectIfThere(run.engine, id)));
  return left.some((found) => found !== null);
}

async function bringOneBackInsteadOf(run: ActiveUpdate, { Id }: ContainerInspect, why: string): Promise<BroughtBack> {
  const { containerName: name } = run.journal;
  const other = `${name}.cannot-start-${shortId(Id)}`;
  await renameRestarting(run, Id, other);
  const { words, id } = await bringOneBack(run);
  return {
    words: `Another process created the container ${name} (${shortId(Id)}), which cannot start (${why}). It is kept as ${other}. ${words}`,
    id,
  };
}

async function bringOneBack(run: ActiveUpdate): Promise<BroughtBack> {
  const { engine, journal } = run;
  const { containerName: name } = journal;
  for (const id of ours(run)) {
    const found = await inspectIfThere(engine, id);
    if (found === null) continue;
    for (const other of ours(run)) if (other !== id) await stopIfThere(run, other);
    await renameRestarting(run, id, name);
    await startJoining(run, id);
    const which = id === journal.oldContainerId ? 'old' : 'new';
    const words = `No container was named ${name}. The ${which} container ${shortId(id)} (found as ${found.Name.slice(1)}) has the name again, and diun-pilot started it.`;
    return { words, id };
  }
  const { id, missing } = await createAgain(run);
  const same = missing !== null && missing.length === 0;
  const words = `No container of ${name} was left. It was re-created as ${shortId(id)} from ${journal.oldReference}${same ? ', as before' : ''}, and diun-pilot started it.`;
  return { words: [words, ...(missing ?? [])].join(' '), id };
}

/**
 * With the settings, volumes and networks of the old one, on its image. `missing`: sentences on what it does not have of the old
 * one; null: that is not known.
 */
async function createAgain(run: ActiveUpdate): Promise<{ id: string; missing: string[] | null }> {
  const { engine, journal } = run;
  const { snapshot, oldReference: reference, oldImageId } = journal;
  if (snapshot === undefined) throw new Error('the settings of the old container are not known');
  const image = (await imageIfThere(engine, oldImageId)) ?? (await pullAgain(run));
  await engine.tag(oldImageId, reference);
  const container = await withPresentVolumes(engine, snapshot);
  const platform = journal.platform ?? (await askedPlatform(engine, snapshot, image)).platform;
  const images = { oldImage: image, newImage: image };
  const request = createRequest({ container, ...images, reference, platform });
  const id = await engine.createContainer(journal.containerName, request);
  const differs = differences(container, await engine.inspectContainer(id), images);
  await startJoining(run, id);
  return { id, missing: missingText(journal, snapshot, differs) };
}

/** Files of its own layer are gone with the old container. */
function missingText(
  { layer, containerName }: ActiveUpdate['journal'],
  { Config }: ContainerInspect,
  differs: readonly Difference[],
): string[] | null {
  const sentences: string[] = [];
  if (differs.length > 0)
    sentences.push(`It differs from the old container in: ${differs.map(({ field }) => field).join(', ')}.`);
  if (layer !== undefined && layer.copied.length > 0) {
    const service = Config.Labels?.['com.docker.compose.service'];
    const remedy =
      service === undefined
        ? `Copy them in again (docker cp FILE ${containerName}:PATH).`
        : `Create it again with them (docker compose up -d --force-recreate ${shellWord(service)}).`;
    sentences.push(`Files of Compose's configs and secrets are missing in it: ${listed(layer.copied)}. ${remedy}`);
  }
  if (layer !== undefined && layer.lost > 0)
    sentences.push(`${plural(layer.lost, 'file')} outside of its volumes ${layer.lost === 1 ? 'is' : 'are'} lost.`);
  return layer === undefined && sentences.length === 0 ? null : sentences;
}

/** `docker system prune` removes the image of a container that is gone: its digest is asked of the registry again. */
async function pullAgain({ engine, journal, update: { from } }: ActiveUpdate): Promise<ImageInspect> {
  const { oldImageId, platform } = journal;
  if (from === null || from.digest === null)
    throw new Error(`the image ${oldImageId} was removed, and its digest is not known`);
  const digest = digestReference(parseImageReference(from.reference), from.digest);
  const id = await engine.pull(digest, () => undefined, platform);
  if (id !== oldImageId) throw new Error(`the image ${oldImageId} was removed, and ${from.digest} gives another one`);
  return engine.inspectImage(id);
}

/** The one to prefer first. One that was only prepared never served. */
function ours({ journal }: ActiveUpdate): string[] {
  const { stage, oldContainerId, newContainerId } = journal;
  if (newContainerId === null || stage === 'preparing') return [oldContainerId];
  return stage === 'settled' ? [newContainerId, oldContainerId] : [oldContainerId, newContainerId];
}

/**
 * What this update created or renamed and that still exists at its end, though it should be gone: stopped, listed, and
 * removed by a later try; the old container is kept for the operator where it is the way back. Resolves with sentences on
 * them. Rejects as the engine does; may be done twice.
 */
export async function recordLeftovers(run: ActiveUpdate): Promise<string[]> {
  const { engine, journal, store } = run;
  const bearer = await inspectByName(engine, journal.containerName);
  if (bearer === null) return [];
  const sentences: string[] = [];
  for (const left of await stillThere(run)) {
    if (left.id === bearer.Id || store.keptContainers.find(left.id)?.leftover === false) continue;
    const role = asideParts(left.name)?.role;
    if (role === 'kept') await adoptHolder(run, entryOf(run, left));
    else if (role === 'old' && oldIsWayBack(journal)) sentences.push(...(await recordWayBack(run, left)));
    else sentences.push(await recordLeftover(run, left));
  }
  return sentences;
}

interface Left {
  id: string;
  name: string;
}

/** The verdict reports what is kept; a sentence only where it could not be stopped. */
async function recordWayBack(run: ActiveUpdate, left: Left): Promise<string[]> {
  try {
    await keepWayBack(run, entryOf(run, left));
    return [];
  } catch (error) {
    rethrowEngineLost(error);
    return [`${left.name} could not be stopped (${messageOf(error)}).`];
  }
}

async function recordLeftover(run: ActiveUpdate, left: Left): Promise<string> {
  const stopped = await keepLeftover(run, entryOf(run, left)).then(
    () => 'is stopped',
    (error: unknown) => {
      rethrowEngineLost(error);
      return `could not be stopped (${messageOf(error)})`;
    },
  );
  const { cleanUpFailure } = run.journal;
  const why = cleanUpFailure === undefined ? '' : ` (${cleanUpFailure})`;
  return `The container ${left.name} was not removed${why}; it ${stopped}, and its removal is retried every 10 minutes and at the next start of diun-pilot. Until then, docker compose up -d may remove the wrong one of the two: run docker rm -f ${left.name} first.`;
}

function entryOf({ update, journal }: ActiveUpdate, { id, name }: Left): Omit<KeptContainer, 'leftover' | 'keepUntil'> {
  const trouble = journal.cleanUpFailure === undefined ? '' : ` ${journal.cleanUpFailure}`;
  const reason = `It is left over from update ${update.id}.${trouble}`;
  return { containerId: id, name, container: journal.containerName, updateId: update.id, reason };
}

/** By the names that this update gave; one that another process renamed since is no longer diun-pilot's. */
async function stillThere({ engine, journal, update }: ActiveUpdate): Promise<Left[]> {
  const names = (['old', 'new', 'check', 'kept'] as const).map((role) =>
    asideName(journal.containerName, role, update.id),
  );
  // From the list: a container that could not be removed may be one that the engine cannot describe.
  const found = (await engine.containers()).filter(({ name }) => name !== null && names.includes(name));
  return found.map(({ id, name }) => ({ id, name: name as string }));
}
