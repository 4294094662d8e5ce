import { z } from 'zod';
import { BOUNDS, MOST_SIGNATURES } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import type { FoundSignature } from '../../../domain/signatures/signature';
import type { RegistrySignatures } from '../../../ports/registry';
import {
  type JsonAnswer,
  openRepository,
  type Question,
  registryRefused,
  refusedByStatus,
  refuseOtherContent,
  type Repository,
} from './repository';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d+\+json|\+json;version=0\.\d+)$/;

/** Of referrers that may be signatures, besides bundles. cosign 2 names the type of the empty configuration for a bundle. */
const TYPES = ['application/vnd.dev.cosign.artifact.sig.v1+json', 'application/vnd.oci.empty.v1+json'];

/** Annotations of cosign 2 on a payload. */
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const LOG_ENTRY = 'dev.sigstore.cosign/bundle';

/** A registry without the referrers API answers one of these; the specification names 404. */
const NO_API = [400, 404, 405, 501];

const digestText = z.string().regex(/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);
const manifest = z.object({
  layers: z.array(
    z.object({
      mediaType: z.string(),
      digest: digestText,
      annotations: z.record(z.string(), z.string()).nullish(),
    }),
  ),
});
const index = z.object({ manifests: z.array(z.object({ digest: digestText, artifactType: z.string().nullish() })) });

type Layer = z.infer<typeof manifest>['layers'][number];

export interface RegistrySignaturesOptions {
  /** Where the Docker client keeps `config.json` with the registries' credentials; null: nowhere. */
  dockerConfigDir: string | null;
  /** For all signatures of one digest. */
  withinMs?: number;
}

/** Reads signatures by the distribution API, asked from this process. None is kept: one may be added at any time. */
export function createRegistrySignatures(options: RegistrySignaturesOptions): RegistrySignatures {
  const { dockerConfigDir, withinMs = BOUNDS.signature.ms } = options;
  return {
    of: async (digestReference) => {
      const { digest } = parseImageReference(digestReference);
      if (digest === null) throw new EngineError('registry_refused', `${digestReference} has no digest.`);
      const repository = await openRepository(dockerConfigDir, digestReference);
      const question = { bound: BOUNDS.registryManifest, signal: AbortSignal.timeout(withinMs), follow: true };
      return new Reading(repository, question).all(digest);
    },
  };
}

/** All questions about the signatures of one digest. */
class Reading {
  #layers = 0;
  constructor(
    private readonly repository: Repository,
    private question: Question,
  ) {}

  async all(digest: string): Promise<FoundSignature[]> {
    const tag = digest.replace(':', '-');
    const layers = await this.#layersOf(`manifests/${tag}.sig`, null);
    for (const referrer of await this.#referrersOf(digest, tag))
      layers.push(...(await this.#layersOf(`manifests/${referrer}`, referrer)));
    const found: FoundSignature[] = [];
    for (const layer of layers) found.push(await this.#signatureIn(layer));
    return found;
  }

  /** Digests of the manifests that refer to it: by the API, else by the tag that stands in for it. */
  async #referrersOf(digest: string, tag: string): Promise<string[]> {
    const byApi = await this.#ask(`referrers/${digest}`, INDEX, NO_API);
    const answer = byApi ?? (await this.#ask(`manifests/${tag}`, INDEX, [404]));
    if (answer === null) return [];
    const read = index.safeParse(answer.body).data;
    if (read === undefined) throw registryRefused(this.repository.registry, 'its list of referrers is not an index');
    const referrers = read.manifests
      .filter(({ artifactType }) => !artifactType || TYPES.includes(artifactType) || BUNDLE.test(artifactType))
      .map((each) => each.digest);
    this.#within(referrers.length);
    return referrers;
  }

  /** Those that may be signatures; none where there is no such manifest. */
  async #layersOf(path: string, digest: string | null): Promise<Layer[]> {
    const answer = await this.#ask(path, `${MANIFEST}, ${DOCKER_MANIFEST}`, [404]);
    if (answer === null) return [];
    if (digest !== null) refuseOtherContent(this.repository.url(path), answer, digest);
    const read = manifest.safeParse(answer.body).data;
    const layers = (read?.layers ?? []).filter(({ mediaType }) => mediaType === PAYLOAD || BUNDLE.test(mediaType));
    this.#layers += layers.length;
    this.#within(this.#layers);
    return layers;
  }

  async #signatureIn({ mediaType, digest, annotations }: Layer): Promise<FoundSignature> {
    const path = `blobs/${digest}`;
    const answer = await this.#ask(path, '*/*', [], BOUNDS.signature);
    if (answer === null) return { form: 'unreadable', why: 'a signature cannot be read' };
    refuseOtherContent(this.repository.url(path), answer, digest);
    if (mediaType !== PAYLOAD) return { form: 'bundle', json: answer.content.toString('utf8') };
    const signature = annotations?.[SIGNATURE];
    if (signature === undefined) return { form: 'unreadable', why: 'a signature has no value' };
    const [certificate = null, logEntry = null] = [annotations?.[CERTIFICATE], annotations?.[LOG_ENTRY]];
    return { form: 'payload', payload: answer.content, signature, certificate, logEntry };
  }

  /** Null: it answers one of `none`. */
  async #ask(
    path: string,
    accept: string,
    none: readonly number[],
    bound: Question['bound'] = this.question.bound,
  ): Promise<JsonAnswer | null> {
    const url = this.repository.url(path);
    const { answer, question } = await this.repository.ask(url, { ...this.question, accept, bound });
    this.question = { ...question, bound: this.question.bound };
    if (none.includes(answer.status)) return null;
    refusedByStatus(url, answer);
    if (answer.status === 200) return answer;
    const message = `The registry ${url.host} returned no signatures (status ${answer.status}).`;
    throw new EngineError('registry_unreachable', message);
  }

  #within(count: number): void {
    if (count > MOST_SIGNATURES)
      throw registryRefused(this.repository.registry, `it has more than ${MOST_SIGNATURES} signatures of one digest`);
  }
}
