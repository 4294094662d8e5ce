import type { Deps } from '../deps';
import { type Container, runningDigest, runsDigest } from '../domain/container';
import type { RegistryWord } from '../domain/decision/decision';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { digestReference, type ImageTarget } from '../domain/images/image-reference';
import { needsDumps, type NewMajor, newMajorByTags, newMajorOf } from '../domain/plan/postgres-major';
import { type Platform, platformOf } from '../domain/recreate/platform';
import { platformOfTarget, targetCarryOver, targetFailureOf } from '../services/look-at-target';
import { askRegistry, type RegistryAsked } from './ask-registry';
import type { Offer } from './offer';
import { notesDeadline, readNotes } from './read-notes';
import { checkSignature } from './signatures';

/**
 * What an offer must know and a transaction cannot ask, of a target that is the registry's own word. `registry`: that of a
 * pass over many containers. Rejects with `engine_unreachable`.
 */
export async function lookInto(
  deps: Deps & { registry?: RegistryAsked },
  container: Container,
  target: ImageTarget,
): Promise<Required<Pick<Offer, 'registry' | 'unhealthy' | 'carryOver' | 'notes' | 'signature'>>> {
  const { registry = askRegistry(deps) } = deps;
  const word = await registryWord(deps, container, target, registry);
  const { sameImage } = word;
  const reading = sameImage ? null : readNotes(deps, container, target, { registry, signal: notesDeadline() });
  return {
    registry: word,
    unhealthy: await targetFailureOf(deps, container),
    carryOver: await targetCarryOver(deps, container),
    notes: await reading,
    signature: sameImage ? null : await checkSignature(deps, container, target, registry),
  };
}

/** What the registry says of a target that is its own word. Rejects with `engine_unreachable`. */
export async function registryWord(
  deps: Pick<Deps, 'engine' | 'logger' | 'swarm'>,
  container: Container,
  target: ImageTarget,
  registry: Pick<RegistryAsked, 'image' | 'config'>,
): Promise<Required<RegistryWord>> {
  const sameImage = await runsSameImage(deps, container, target, registry);
  const newMajor = sameImage ? null : await newMajorFor(deps, container, target, registry);
  return { refusal: null, sameImage, newMajor };
}

/**
 * Whether the digest of a target is proven to name, for the platform of a container, the image that the container runs: an
 * index has a new digest when an architecture or an attestation is added to it. False without a proof, whatever the reason:
 * then the target counts as an update. Rejects with `engine_unreachable`.
 */
export async function runsSameImage(
  deps: Pick<Deps, 'engine' | 'logger' | 'swarm'>,
  container: Container,
  target: ImageTarget,
  registry: Pick<RegistryAsked, 'image'>,
): Promise<boolean> {
  try {
    if (container.swarm) return await sameForService(deps, container, target, registry);
    const inspect = await deps.engine.inspectContainer(container.id);
    const image = await deps.engine.inspectImage(inspect.Image);
    const platform = platformOf(inspect, image);
    if (platform === null) return false;
    const wanted = await registry.image(digestReference(target.reference, target.digest), platform);
    if (wanted === null) return false;
    if (wanted.config === inspect.Image) return true;
    return (await runningManifest(registry, container, { inspect, image, platform })) === wanted.manifest;
  } catch (error) {
    rethrowEngineLost(error);
    const { name } = container;
    deps.logger.info('not known whether only the index changed', {
      container: name,
      to: target,
      reason: messageOf(error),
    });
    return false;
  }
}

/** What the old digest names for the nodes' platform, compared by the registry alone: this engine need not have the image. */
async function sameForService(
  deps: Pick<Deps, 'engine' | 'swarm'>,
  service: Container,
  target: ImageTarget,
  registry: Pick<RegistryAsked, 'image'>,
): Promise<boolean> {
  const digest = runningDigest(service);
  const platform = await platformOfTarget(deps, service);
  if (digest === null || platform === null) return false;
  const [old, wanted] = await Promise.all(
    [digest, target.digest].map((each) => registry.image(digestReference(target.reference, each), platform)),
  );
  return !!old && !!wanted && old.manifest === wanted.manifest;
}

interface Running {
  inspect: ContainerInspect;
  image: ImageInspect;
  platform: Platform;
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

/**
 * Whether a target is a newer PostgreSQL major than the one that a container runs, by the registry's word on the image, else by
 * the tags. Null: it is not, or that is not known, and the preflight sees it. Rejects with `engine_unreachable`.
 */
export async function newMajorFor(
  deps: Pick<Deps, 'engine' | 'logger'>,
  container: Container,
  target: ImageTarget,
  registry: Pick<RegistryAsked, 'config'>,
): Promise<NewMajor | null> {
  if (container.application !== 'postgres' || container.swarm) return null;
  const found =
    (await byImage(deps, container, target, registry)) ?? newMajorByTags(container.reference, target.reference);
  if (found === null || container.labels.backup?.kind === 'postgres') return found;
  return { ...found, change: needsDumps(container) };
}

async function byImage(
  { engine, logger }: Pick<Deps, 'engine' | 'logger'>,
  container: Container,
  target: ImageTarget,
  registry: Pick<RegistryAsked, 'config'>,
): Promise<NewMajor | null> {
  try {
    const inspect = await engine.inspectContainer(container.id);
    const image = await engine.inspectImage(inspect.Image);
    const platform = platformOf(inspect, image);
    const config = platform && (await registry.config(digestReference(target.reference, target.digest), platform));
    return config && newMajorOf({ container: inspect, imageEnv: image.Config?.Env }, config.env);
  } catch (error) {
    rethrowEngineLost(error);
    const reason = messageOf(error);
    logger.info('the PostgreSQL major of an image is only known by its tag', {
      container: container.name,
      to: target,
      reason,
    });
    return null;
  }
}
