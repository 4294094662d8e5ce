import type { ContainerInspect, ImageInspect } from '../engine-inspect';

/** In the words of image platforms: `linux`, `arm`, `v7`. */
export interface Platform {
  os: string;
  architecture: string;
  variant: string;
}

type RunsOn = Pick<ContainerInspect, 'ImageManifestDescriptor'>;

/**
 * The platform that a container runs. It is not part of its settings (`platform:` of Compose leaves no trace in HostConfig):
 * the engine's descriptor has it, where there is one, else the image. Null: neither reports it.
 */
export function platformOf(
  container: RunsOn,
  image: Pick<ImageInspect, 'Os' | 'Architecture' | 'Variant'>,
): Platform | null {
  const described = container.ImageManifestDescriptor?.platform;
  const architecture = described?.architecture || image.Architecture;
  if (!architecture) return null;
  const os = described?.os || image.Os || 'linux';
  const variant = (described?.architecture ? described.variant : image.Variant) ?? '';
  return { os, architecture, variant: variant === USUAL_VARIANTS[architecture] ? '' : variant };
}

/** A variant that is the usual one of its architecture is often left out. */
const USUAL_VARIANTS: Record<string, string> = { arm64: 'v8', arm: 'v7', amd64: 'v1' };

/** `linux/arm/v6`. */
export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== '').join('/');
}

/** Both as text, if they differ; null: they are the same, or one is not known. */
export function differingPlatforms(one: Platform | null, other: Platform | null): [string, string] | null {
  if (one === null || other === null) return null;
  const [first, second] = [platformText(one), platformText(other)];
  return first === second ? null : [first, second];
}

/** What to ask the engine for, when the platform is not the one that it selects on its own; else undefined. */
export function platformToAsk(
  wanted: Platform | null,
  engine: { os: string; architecture: string },
): string | undefined {
  if (wanted === null) return undefined;
  const isNative = wanted.os === engine.os && wanted.architecture === engine.architecture && wanted.variant === '';
  return isNative ? undefined : platformText(wanted);
}
