import { z } from 'zod';
import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { platformOf, platformText, type Platform } from '../../../domain/recreate/platform';
import type { ImageConfig, PlatformImage, RegistryImages } from '../../../ports/registry';
import {
  type JsonAnswer,
  openRepository,
  type Question,
  registryRefused,
  refuseOtherContent,
  type Repository,
} from './repository';

const MOST_KNOWN = 200;

/** Of a manifest, and of the index of a multi-platform image. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

const descriptor = z.object({ digest: z.string().regex(/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/) });
const word = z.string().nullish();
const manifest = z.object({ config: descriptor });
const index = z.object({
  manifests: z.array(
    descriptor.extend({ platform: z.object({ os: word, architecture: word, variant: word }).nullish() }),
  ),
});

type Index = z.infer<typeof index>;
type Manifest = z.infer<typeof manifest>;

export interface RegistryImagesOptions {
  /** Where the Docker client keeps `config.json` with the registries' credentials; null: nowhere. */
  dockerConfigDir: string | null;
  /** For one digest, the manifests of its index included. */
  withinMs?: number;
}

/** Reads manifests by the distribution API (`/v2/NAME/manifests/DIGEST`), asked from this process, not through the engine and its proxy. */
export function createRegistryImages(options: RegistryImagesOptions): RegistryImages {
  const { dockerConfigDir, withinMs = BOUNDS.registryManifest.ms } = options;
  /** A digest names the same content for ever, and registries limit how often a manifest is read. */
  const known = new Map<string, PlatformImage | null>();
  const find = async (digestReference: string, platform: Platform): Promise<Found> => {
    const { digest } = parseImageReference(digestReference);
    if (digest === null) throw new EngineError('registry_refused', `${digestReference} has no digest.`);
    const repository = await openRepository(dockerConfigDir, digestReference);
    const signal = AbortSignal.timeout(withinMs);
    const question = { bound: BOUNDS.registryManifest, signal, follow: true, accept: MANIFEST_TYPES.join(', ') };
    const key = `${digestReference} ${platformText(platform)}`;
    const image = known.get(key) ?? (await resolve(repository, question, { digest, platform }));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, image);
    return { repository, signal, image };
  };
  return {
    imageOf: async (digestReference, platform) => (await find(digestReference, platform)).image,
    configOf: async (digestReference, platform) => {
      const found = await find(digestReference, platform);
      return found.image === null ? null : configAt(found, found.image.config);
    },
  };
}

interface Found {
  repository: Repository;
  signal: AbortSignal;
  image: PlatformImage | null;
}

const configuration = z.object({
  config: z
    .object({ Labels: z.record(z.string(), z.string()).nullish(), Env: z.array(z.string()).nullish() })
    .nullish(),
});

async function configAt({ repository, signal }: Found, digest: string): Promise<ImageConfig> {
  const url = repository.url(`blobs/${digest}`);
  const { answer } = await repository.ask(url, { bound: BOUNDS.imageConfig, signal, follow: true });
  refuseOtherContent(url, answer, digest);
  const { Labels, Env } = configuration.safeParse(answer.body).data?.config ?? {};
  return { labels: Labels ?? {}, env: Env ?? [] };
}

async function resolve(
  repository: Repository,
  first: Question,
  { digest, platform }: { digest: string; platform: Platform },
): Promise<PlatformImage | null> {
  const { found, question } = await manifestAt(repository, first, digest);
  if ('config' in found) return { manifest: digest, config: found.config.digest };
  const own = only(found, platform);
  if (own === null) return null;
  const inside = await manifestAt(repository, question, own);
  return 'config' in inside.found ? { manifest: own, config: inside.found.config.digest } : null;
}

async function manifestAt(
  repository: Repository,
  asked: Question,
  digest: string,
): Promise<{ found: Manifest | Index; question: Question }> {
  const url = repository.url(`manifests/${digest}`);
  const { answer, question } = await repository.ask(url, asked);
  return { found: parsed(url, answer, digest), question };
}

function parsed(url: URL, answer: JsonAnswer, digest: string): Manifest | Index {
  refuseOtherContent(url, answer, digest);
  const { body } = answer;
  const read = index.safeParse(body).data ?? manifest.safeParse(body).data;
  if (read === undefined) throw registryRefused(url, `what it has for ${digest} is not the manifest of an image`);
  return read;
}

/** Digest of the one manifest of that platform. Attestations have the platform `unknown/unknown`. Null: none, or several. */
function only({ manifests }: Index, platform: Platform): string | null {
  const wanted = platformText(platform);
  const matching = manifests.filter(({ platform: own }) => {
    const normalised = platformOf(
      {},
      { Os: own?.os ?? '', Architecture: own?.architecture ?? '', Variant: own?.variant ?? '' },
    );
    return normalised !== null && platformText(normalised) === wanted;
  });
  const digests = [...new Set(matching.map(({ digest }) => digest))];
  return digests.length === 1 ? (digests[0] ?? null) : null;
}
