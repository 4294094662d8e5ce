import { formatBytes } from '../domain/format';
import type { ImageInspect } from '../domain/engine-inspect';
import { PilotError } from '../domain/errors';
import { digestReference, parseImageReference } from '../domain/images/image-reference';
import type { Progress } from '../lib/progress';
import { askedPlatform } from '../containers/carry-over/asked-platform';
import type { Run } from './run';
import { checkpoint } from './run';

/** Pulls exactly the digest that was announced, shown and approved. No tag moves, so the old container keeps its name. */
export async function pullByDigest(run: Run, progress: Progress): Promise<string> {
  const { engine, update } = run;
  if (update.to.digest === null) throw new PilotError('pull_failed', 'The update names no digest to pull.');
  const wanted = digestReference(parseImageReference(update.to.reference), update.to.digest);
  const { platform } = await askedPlatform(engine, run.old, await engine.inspectImage(run.old.Image));
  const imageId = await engine.pull(
    wanted,
    ({ currentBytes, totalBytes }) => progress(`${formatBytes(currentBytes)} of ${formatBytes(totalBytes)}`),
    platform,
  );
  const image = await engine.inspectImage(imageId);
  if (!(image.RepoDigests ?? []).some((own) => own.endsWith(`@${update.to.digest}`))) {
    throw new PilotError(
      'pull_failed',
      `The engine pulled ${imageId}, which does not carry the digest ${update.to.digest}.`,
    );
  }
  checkpoint(run, 'preparing', { newImageId: imageId });
  return `${wanted} is image ${imageId}${platform === undefined ? '' : `, for ${platform}`}`;
}

/** What `pullByDigest` has pulled. Throws when it has not: a defect. */
export async function newImageOf({ engine, journal }: Run): Promise<ImageInspect> {
  if (journal.newImageId === null) throw new Error('no image was pulled before it is used');
  return engine.inspectImage(journal.newImageId);
}
