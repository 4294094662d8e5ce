import type { Deps } from '../deps';
import { type Container, runningDigest, runsDigest } from '../domain/container';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { digestReference } from '../domain/images/image-reference';
import type { PlatformImage } from '../domain/images/platform-image';
import { platformOf, type Platform } from '../domain/recreate/platform';
import { platformOfTarget } from '../services/look-at-target';
import type { RegistryAsked } from './ask-registry';
import type { ImageTarget } from '../domain/images/image-target';

/** What the digest of a target names for the platform of a container. */
export interface ImageSeen {
  /** Null: not known. */
  image: PlatformImage | null;
  /** Whether it is proven to be the image that the container runs. */
  sameImage: boolean;
}

const UNKNOWN: ImageSeen = { image: null, sameImage: false };

/**
 * Asks the registry what the digest of a target names for the platform of a container, and compares it with what the container
 * runs: an index has a new digest when an architecture or an attestation is added to it. Without a proof, whatever the reason,
 * the target counts as an update. Rejects with `engine_unreachable`.
 */
export async function lookAtImage(
  deps: Pick<Deps, 'engine' | 'logger' | 'swarm'>,
  container: Container,
  target: ImageTarget,
  registry: Pick<RegistryAsked, 'image'>,
): Promise<ImageSeen> {
  let seen = UNKNOWN;
  try {
    const running = container.swarm ? null : await whatRuns(deps, container);
    const platform = running ? running.platform : await platformOfTarget(deps, container);
    const image = platform && (await registry.image(digestReference(target.reference, target.digest), platform));
    if (!platform || !image) return UNKNOWN;
    seen = { image, sameImage: false };
    const sameImage = running
      ? await isImageOf(container, { ...running, platform }, image, registry)
      : await isImageOfService(container, { target, platform }, image, registry);
    return { image, sameImage };
  } catch (error) {
    rethrowEngineLost(error);
    const { name } = container;
    deps.logger.info('not known whether only the index changed', {
      container: name,
      to: target,
      reason: messageOf(error),
    });
    return seen;
  }
}

interface Running {
  inspect: ContainerInspect;
  image: ImageInspect;
  platform: Platform;
}

async function whatRuns(
  { engine }: Pick<Deps, 'engine'>,
  { id }: Container,
): Promise<Omit<Running, 'platform'> & { platform: Platform | null }> {
  const inspect = await engine.inspectContainer(id);
  const image = await engine.inspectImage(inspect.Image);
  return { inspect, image, platform: platformOf(inspect, image) };
}

async function isImageOf(
  container: Container,
  running: Running,
  wanted: PlatformImage,
  registry: Pick<RegistryAsked, 'image'>,
): Promise<boolean> {
  if (wanted.config === running.inspect.Image) return true;
  return (await runningManifest(registry, container, running)) === wanted.manifest;
}

/** What the old digest names for the nodes' platform, compared by the registry alone: this engine need not have the image. */
async function isImageOfService(
  service: Container,
  { target, platform }: { target: ImageTarget; platform: Platform },
  wanted: PlatformImage,
  registry: Pick<RegistryAsked, 'image'>,
): Promise<boolean> {
  const digest = runningDigest(service);
  const old = digest && (await registry.image(digestReference(target.reference, digest), platform));
  return !!old && old.manifest === wanted.manifest;
}

/**
 * Digest of the manifest that a container was created from. Only the containerd image store has it: there an image ID is the
 * digest of an index or a manifest. Null: another store, or not certain.
 */
async function runningManifest(
  registry: Pick<RegistryAsked, 'image'>,
  { reference }: Container,
  { inspect, image, platform }: Running,
): Promise<string | null> {
  const described = inspect.ImageManifestDescriptor?.digest;
  if (described !== undefined) return described;
  // Images for `arm` often do not name their variant, so an index with several does not say which one runs.
  if (!runsDigest({ repoDigests: image.RepoDigests ?? [] }, inspect.Image) || platform.architecture === 'arm')
    return null;
  return (await registry.image(digestReference(reference, inspect.Image), platform))?.manifest ?? null;
}
