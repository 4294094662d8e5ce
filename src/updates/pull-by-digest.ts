import { askedPlatform } from '../containers/carry-over/layer-files';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { PilotError } from '../domain/errors';
import { formatBytes } from '../domain/format';
import { digestReference, parseImageReference } from '../domain/images/image-reference';
import type { Update } from '../domain/update';
import type { Progress } from '../lib/logger';
import type { Engine } from '../ports/engine';
import { checkpoint, type Run } from './run';

/** Pulls exactly the digest that was announced, shown and approved. No tag moves, so the old container keeps its name. */
export async function pullByDigest(run: Run, progress: Progress): Promise<string> {
  if (run.pullFailure !== undefined) throw run.pullFailure;
  const { imageId, wanted, platform } = await pullTarget(run.engine, run.old, run.update, progress);
  checkpoint(run, 'preparing', { newImageId: imageId });
  return `${wanted} is image ${imageId}${platform === undefined ? '' : `, for ${platform}`}`;
}

/** The image of an update, for the platform of the container. Rejects with `pull_failed`, `registry_…`. */
export async function pullTarget(
  engine: Engine,
  old: ContainerInspect,
  { to }: Pick<Update, 'to'>,
  progress: Progress,
): Promise<{ imageId: string; wanted: string; platform: string | undefined }> {
  if (to.digest === null) throw new PilotError('pull_failed', 'The update names no digest to pull.');
  const wanted = digestReference(parseImageReference(to.reference), to.digest);
  const { platform } = await askedPlatform(engine, old, await engine.inspectImage(old.Image));
  const imageId = await engine.pull(
    wanted,
    ({ currentBytes, totalBytes }) => progress(`${formatBytes(currentBytes)} of ${formatBytes(totalBytes)}`),
    platform,
  );
  const image = await engine.inspectImage(imageId);
  if (!(image.RepoDigests ?? []).some((own) => own.endsWith(`@${to.digest}`))) {
    throw new PilotError('pull_failed', `The engine pulled ${imageId}, which does not have the digest ${to.digest}.`);
  }
  return { imageId, wanted, platform };
}

/** What `pullByDigest` has pulled. Throws when it has not: a defect. */
export async function newImageOf({ engine, journal }: Run): Promise<ImageInspect> {
  if (journal.newImageId === null) throw new Error('no image was pulled before it is used');
  return engine.inspectImage(journal.newImageId);
}
