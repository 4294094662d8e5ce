import { createHash } from 'node:crypto';
import type { ImageInspect } from '../../src/domain/engine-inspect';
import { EngineError } from '../../src/domain/errors';
import { parseImageReference } from '../../src/domain/images/image-reference';
import { versionJump } from '../../src/domain/images/version-jump';
import type { ListedImage } from '../../src/ports/engine';
import { platformText, type Platform } from '../../src/domain/recreate/platform';
import type { PlatformImage, RegistryImages, RegistrySignatures } from '../../src/ports/registry';
import type { FoundSignature } from '../../src/domain/signatures/signature';
import type { FakeImage, ImageSpec } from './fake-engine-types';
import { plainCopy } from './plain-copy';

/** Images on the engine with their tags, and the registry from which they come. */
export class FakeImages {
  readonly onEngine = new Map<string, FakeImage>();
  /** Local tag (`nginx:1.27`) to image id. */
  readonly tags = new Map<string, string>();
  /** `nginx@sha256:…` to image id. */
  readonly repoDigests = new Map<string, string>();
  /** Registries (`host`, `host:port`) that do not answer. */
  readonly away = new Set<string>();
  /** What the registry has as signatures, by `repository@digest`. */
  readonly #signatures = new Map<string, FoundSignature[]>();
  /** Registries that give digests, but do not answer about signatures. */
  readonly silentOnSignatures = new Set<string>();
  readonly #registry = new Map<string, FakeImage>();
  readonly #published = new Map<string, FakeImage>();

  add(reference: string, spec: ImageSpec): FakeImage {
    const image = this.publish(reference, spec);
    this.#keep(image, repositoryOf(reference));
    this.tags.set(familiar(reference), image.id);
    return image;
  }

  publish(reference: string, spec: ImageSpec): FakeImage {
    const image = imageOf(spec, `${familiar(reference)} ${this.#published.size}`);
    this.#registry.set(familiar(reference), image);
    this.#published.set(`${repositoryOf(reference)}@${image.digest}`, image);
    return image;
  }

  unpublish(reference: string): void {
    this.#registry.delete(familiar(reference));
  }

  /** Tags of the repository of a reference that can be compared with its own. */
  published(reference: string): string[] {
    this.#answers(reference);
    const prefix = `${repositoryOf(reference)}:`;
    const names = [...this.#registry.keys()].filter((name) => name.startsWith(prefix));
    if (names.length === 0) throw new EngineError('registry_refused', `The registry has no repository ${prefix}`);
    const own = parseImageReference(reference).tag ?? '';
    return names
      .map((name) => name.slice(prefix.length))
      .filter((tag) => versionJump(own, tag).jump !== 'incomparable');
  }

  registryDigest(reference: string): string {
    this.#answers(reference);
    const image = this.#registry.get(familiar(reference));
    if (!image)
      throw new EngineError('registry_refused', `The registry does not know ${reference}. Check the spelling.`);
    return image.digest;
  }

  /** What the registry has for a digest on one platform, as a store without containerd names it: the ID is the config's digest. */
  readonly registryImages: RegistryImages = {
    imageOf: (digestReference, platform) => Promise.resolve().then(() => this.#imageOf(digestReference, platform)),
    configOf: (digestReference, platform) =>
      Promise.resolve().then(() => {
        const image = this.#publishedFor(digestReference, platform);
        return image ? { labels: { ...image.config.Labels }, env: [...(image.config.Env ?? [])] } : null;
      }),
  };

  readonly registrySignatures: RegistrySignatures = {
    of: (digestReference) =>
      Promise.resolve().then(() => {
        this.#answers(digestReference);
        const { domain } = parseImageReference(digestReference);
        if (this.silentOnSignatures.has(domain))
          throw new EngineError('registry_unreachable', `The registry ${domain} returned no signatures (status 503).`);
        return this.#signatures.get(familiar(digestReference)) ?? [];
      }),
  };

  /** Adds a signature to those of a digest. */
  sign(digestReference: string, signature: FoundSignature): void {
    const name = familiar(digestReference);
    this.#signatures.set(name, [...(this.#signatures.get(name) ?? []), signature]);
  }

  unsign(digestReference: string): void {
    this.#signatures.delete(familiar(digestReference));
  }

  #publishedFor(digestReference: string, platform: Platform): FakeImage | undefined {
    this.#answers(digestReference);
    const published = this.#published.get(familiar(digestReference));
    if (!published) throw new EngineError('registry_refused', `The registry does not know ${digestReference}.`);
    return ofPlatform(published, platformText(platform));
  }

  #imageOf(digestReference: string, platform: Platform): PlatformImage | null {
    const image = this.#publishedFor(digestReference, platform);
    return image ? { manifest: `sha256:${hex(`manifest ${image.id}`)}`, config: image.id } : null;
  }

  pull(digestReference: string, platform = 'linux/amd64'): FakeImage {
    const name = familiar(digestReference);
    const published = this.#published.get(name);
    if (!published) throw new EngineError('pull_failed', `${digestReference} could not be pulled: manifest unknown`);
    const image = ofPlatform(published, platform);
    if (!image) {
      const reason = `no matching manifest for ${platform} in the manifest list entries`;
      throw new EngineError('pull_failed', `${digestReference} could not be pulled: ${reason}`);
    }
    this.#keep(image, repositoryOf(digestReference));
    return image;
  }

  find(reference: string): FakeImage {
    const name = familiar(reference);
    const byId = [...this.onEngine.keys()].find((id) => isIdPrefix(reference, id));
    const image = this.onEngine.get(this.tags.get(name) ?? this.repoDigests.get(name) ?? byId ?? '');
    if (!image) throw new EngineError('image_not_found', `No such image: ${reference}. Pull it first.`);
    return image;
  }

  inspect(reference: string): ImageInspect {
    const image = this.find(reference);
    const names = (map: Map<string, string>): string[] =>
      [...map].filter(([, id]) => id === image.id).map(([name]) => name);
    return {
      Id: image.id,
      RepoTags: names(this.tags),
      RepoDigests: names(this.repoDigests),
      Architecture: (image.spec.platform ?? 'linux/amd64').split('/')[1] ?? '',
      Os: 'linux',
      Size: 10_000_000,
      Config: plainCopy(image.config),
    };
  }

  tag(imageId: string, reference: string): void {
    this.tags.set(familiar(reference), this.find(imageId).id);
  }

  remove(imageId: string): void {
    if (!this.onEngine.has(imageId)) return;
    const { RepoTags } = this.inspect(imageId);
    if ((RepoTags ?? []).length > 1) {
      throw new EngineError(
        'engine_refused',
        'conflict: unable to delete, image is referenced in multiple repositories',
      );
    }
    this.onEngine.delete(imageId);
    for (const names of [this.tags, this.repoDigests])
      for (const [name, id] of names) if (id === imageId) names.delete(name);
  }

  listed(): ListedImage[] {
    return [...this.onEngine.keys()].map((id) => {
      const { RepoTags, RepoDigests } = this.inspect(id);
      return { id, repoTags: RepoTags ?? [], repoDigests: RepoDigests ?? [] };
    });
  }

  #answers(reference: string): void {
    const { domain } = parseImageReference(reference);
    if (this.away.has(domain)) throw new EngineError('registry_unreachable', `The registry ${domain} does not answer.`);
  }

  #keep(image: FakeImage, repository: string): void {
    this.onEngine.set(image.id, image);
    this.repoDigests.set(`${repository}@${image.digest}`, image.id);
  }
}

/** As the engine prints it: `docker.io/library/nginx` is `nginx:latest`. */
export function familiar(reference: string): string {
  const short = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
  return short.includes('@') ? short.replace(/:[^/@]*@/, '@') : /:[^/]*$/.test(short) ? short : `${short}:latest`;
}

function repositoryOf(reference: string): string {
  return familiar(reference)
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '');
}

export function hex(seed: string): string {
  return createHash('sha256').update(seed).digest('hex');
}

function imageOf(spec: ImageSpec, seed: string): FakeImage {
  const digest = spec.digest ?? `sha256:${hex(`digest ${seed}`)}`;
  const config = { Cmd: ['serve'], Env: ['PATH=/usr/local/bin:/usr/bin:/bin'], Labels: {}, ...spec.config };
  return { id: spec.id ?? `sha256:${hex(`image ${digest}`)}`, digest, config, spec };
}

/** An image that is not an index is pulled whatever its platform is. */
function ofPlatform(image: FakeImage, platform: string): FakeImage | undefined {
  const { variants, ...spec } = image.spec;
  if (variants === undefined || (spec.platform ?? 'linux/amd64') === platform) return image;
  const variant = variants.find((each) => each.platform === platform);
  return (
    variant && imageOf({ ...variant, digest: image.digest, id: `sha256:${hex(`${platform} ${image.id}`)}` }, platform)
  );
}

function isIdPrefix(reference: string, id: string): boolean {
  return reference === id || (/^[0-9a-f]{6,}$/.test(reference) && id.startsWith(`sha256:${reference}`));
}
