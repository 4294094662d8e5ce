import type { Question } from '../domain/decision/decision';
import type { PlatformImage } from '../domain/images/platform-image';
import type { Update } from '../domain/update';
import type { Refusal, Store } from '../ports/store';

type Parts = Pick<Store, 'refusals' | 'updates'>;

/**
 * Whether a digest failed on a container or was declined for it; or another digest whose image for the platform is the same: an
 * index has a new digest when an architecture or an attestation is added to it. `image`: that of the digest, null or undefined if
 * it is not known.
 */
export function knownRefusal(
  store: Parts,
  { container, digest, image }: { container: string; digest: string; image: PlatformImage | null | undefined },
): Question['known']['refusal'] {
  const exact = store.refusals.find(container, digest);
  const [same] = exact === null && image ? refusalsOfImage(store, container, image) : [];
  return same ? { why: same.why, at: same.at, ofImage: true } : exact;
}

/** To be called when an update has succeeded: nothing speaks against its image any longer, whichever digest names it. */
export function liftRefusals(store: Parts, { id, container, to }: Update): void {
  if (container === null || to.digest === null) return;
  const image = store.updates.plan(id)?.image;
  const ofImage = image ? refusalsOfImage(store, container, image).map(({ digest }) => digest) : [];
  for (const digest of [to.digest, ...ofImage]) store.refusals.remove(container, digest);
}

/** A signature is of one digest, so a wrong one says nothing of the image. */
function refusalsOfImage({ refusals, updates }: Parts, container: string, image: PlatformImage): Refusal[] {
  return refusals
    .all()
    .filter(
      (each) =>
        each.container === container &&
        updates.plan(each.updateId)?.image?.config === image.config &&
        updates.get(each.updateId)?.error?.code !== 'signature_invalid',
    );
}
