import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { MANIFEST_TYPES } from './images';
import { openRepository, refused, refusedByStatus } from './repository';

const DIGEST = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;

/**
 * Digest that the registry gives for a reference now, asked from this process: for an engine without `GET /distribution`
 * (Podman). Rejects as `Engine.registryDigest`.
 */
export async function digestOfTag(dockerConfigDir: string | null, reference: string): Promise<string> {
  const { tag, digest } = parseImageReference(reference);
  const repository = await openRepository(dockerConfigDir, reference);
  const url = repository.url(`manifests/${digest ?? tag ?? 'latest'}`);
  const bound = BOUNDS.registryManifest;
  const signal = AbortSignal.timeout(bound.ms);
  const question = { bound, signal, follow: true, accept: MANIFEST_TYPES.join(', '), isHead: true };
  const { answer } = await repository.ask(url, question);
  refusedByStatus(url, answer);
  const named = answer.headers['docker-content-digest'];
  if (answer.status !== 200)
    throw new EngineError(
      'registry_unreachable',
      `The registry ${url.host} returned no digest for the tag (status ${answer.status}).`,
    );
  if (typeof named !== 'string' || !DIGEST.test(named)) throw refused(url, 'it returned no digest for the tag');
  return named;
}
