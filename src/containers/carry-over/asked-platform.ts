import type { ContainerInspect, ImageInspect } from '../../domain/engine-inspect';
import { platformOf, platformToAsk } from '../../domain/recreate/platform';
import type { Engine } from '../../ports/engine';

/** The platform of a container, to be requested by name where the engine would select another. */
export async function askedPlatform(
  engine: Engine,
  container: ContainerInspect,
  image: ImageInspect,
): Promise<{ platform: string | undefined }> {
  return { platform: platformToAsk(platformOf(container, image), await engine.version()) };
}
