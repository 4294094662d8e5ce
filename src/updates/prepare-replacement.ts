import { asideName } from '../containers/artifact-names';
import { askedPlatform, layerFiles } from '../containers/carry-over/layer-files';
import { copyLayerFiles, withPresentVolumes } from '../containers/carry-over/copy-files';
import { imageIfThere } from '../containers/read-containers';
import { discard, removeByName } from '../containers/start-stop-remove';
import type { ContainerInspect, CreateRequest, ImageInspect } from '../domain/engine-inspect';
import { messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { differences } from '../domain/recreate/compare-containers';
import { dataDirectoryOf } from '../domain/plan/postgres-major';
import { createRequest } from '../domain/recreate/create-request';
import { differingPlatforms, type Platform, platformOf } from '../domain/recreate/platform';
import type { Engine } from '../ports/engine';
import { approvedMajor, clearStaged } from './major/data-directory';
import { syncLocalTag } from './local-tag';
import { newTagLabels } from './new-tag/compose-hash';
import { newImageOf } from './pull-by-digest';
import { type ActiveUpdate, checkpoint, type Run } from './run';

/**
 * Creates the new container next to the running old one, under a name of its own, and compares the two before anything
 * is stopped. Rejects with `recreate_refused` when they are not the same in all that the operator set.
 */
export async function prepareReplacement(run: Run): Promise<void> {
  const { engine, update } = run;
  const old = await withPresentVolumes(engine, run.old);
  const { newReference, containerName } = run.journal;
  const newImage = await newImageOf(run);
  const oldImage = await engine.inspectImage(old.Image);
  const labels = await newTagLabels(run, oldImage);
  await moveTag(run, newImage.Id);
  const { platform } = await askedPlatform(engine, old, oldImage);
  const request = createRequest({ container: old, oldImage, newImage, reference: newReference, labels, platform });
  const id = await create(engine, asideName(containerName, 'new', update.id), request);
  checkpoint(run, 'preparing', { newContainerId: id });
  const created = await engine.inspectContainer(id);
  if (created.Image !== newImage.Id) {
    throw new PilotError('recreate_refused', `The tag ${newReference} was moved externally while it was used.`);
  }
  mustRunPlatform(created, newImage, platformOf(old, oldImage));
  await copyLayerFiles(engine, old.Id, id, (await layerFiles(engine, old)).copied);
  const within = approvedMajor(run) === null ? {} : { within: dataDirectoryOf(old) };
  const found = differences(old, created, { oldImage, newImage, labels, ...within });
  if (found.length > 0) {
    const listed = found.map(({ field, before, after }) => `${field}: ${before} → ${after}`).join('; ');
    throw new PilotError('recreate_refused', `The new container would differ from the old one: ${listed}.`);
  }
}

function mustRunPlatform(created: ContainerInspect, image: ImageInspect, wanted: Platform | null): void {
  const differing = differingPlatforms(platformOf(created, image), wanted);
  if (differing === null) return;
  const [actual, old] = differing;
  const what = `The engine created the new container for ${actual}, and the old one is ${old}.`;
  throw new PilotError('recreate_refused', `platform: ${what} Nothing was changed.`);
}

/** Written down before it is done, so that it can be put back. */
async function moveTag(run: Run, newImageId: string): Promise<void> {
  const { newReference } = run.journal;
  const was = await imageIfThere(run.engine, newReference);
  checkpoint(run, 'preparing', { newReferenceWas: was?.Id ?? null, tagMoved: true });
  await run.engine.tag(newImageId, newReference);
}

async function create(engine: Engine, name: string, request: CreateRequest): Promise<string> {
  try {
    return await engine.createContainer(name, request);
  } catch (error) {
    rethrowEngineLost(error);
    const message = `The engine did not create the new container: ${messageOf(error)}`;
    throw new PilotError('recreate_failed', message, { cause: error });
  }
}

/**
 * Removes what was prepared next to the old container, which was never touched, and restores the tag. The new container never ran,
 * so the volumes that the engine made for it alone go with it.
 */
export async function undoPreparation(run: ActiveUpdate): Promise<void> {
  const { update, journal } = run;
  if (journal.newContainerId !== null) await discard(run.engine, journal.newContainerId, { volumes: true });
  await removeByName(run, asideName(journal.containerName, 'new', update.id), { volumes: true });
  await removeByName(run, asideName(journal.containerName, 'check', update.id));
  await clearStaged(run);
  await syncLocalTag(run);
}
