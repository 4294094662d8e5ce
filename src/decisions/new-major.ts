import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { digestReference } from '../domain/images/image-reference';
import { needsDumps, newMajorByTags, newMajorOf, type NewMajor } from '../domain/plan/postgres-major';
import { platformOf } from '../domain/recreate/platform';
import type { RegistryAsked } from './ask-registry';
import type { ImageTarget } from '../domain/images/image-target';

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
