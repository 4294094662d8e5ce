import type { IncomingMessage } from 'node:http';
import { BOUNDS } from '../../../domain/bounds';
import { EngineError, isEngineLost, messageOf, type PilotError } from '../../../domain/errors';
import { linesWithin } from '../../../lib/streams';
import type { PullProgress } from '../../../ports/engine';
import { NotCompleted, engineStatusOf, toEngineError } from '../engine-errors';
import type { Wire } from '../wire';
import { registryAuth } from './credentials';
import { parseImageReference } from '../../../domain/images/image-reference';
import { MANIFEST_TYPES } from './images';
import { openRepository, registryRefused, refusedByStatus } from './repository';

/** The engine asks the registry before it sends a head, with retries of its own. */
const REGISTRY_MS = 5 * 60_000;
/** A pull that says nothing for so long has died. */
const SILENCE_MS = 10 * 60_000;

interface PullLine {
  id?: string;
  status?: string;
  error?: string;
  progressDetail?: { current?: number; total?: number };
}

export async function registryDigest(wire: Wire, configDir: string | null, reference: string): Promise<string> {
  if (await wire.isPodman()) return digestOfTag(configDir, reference);
  const headers = await registryAuth(configDir, reference);
  const path = `/distribution/${reference}/json` as const;
  try {
    const answer = await wire.call<{ Descriptor: { digest: string } }>({ method: 'GET', path, headers });
    return answer.Descriptor.digest;
  } catch (error) {
    throw registryError(toEngineError(error), reference);
  }
}

/** Pulls to the end of the stream; a line with an error fails it, also inside an answer of 200. */
export async function pull(
  wire: Wire,
  configDir: string | null,
  { digestReference, platform }: { digestReference: string; platform?: string | undefined },
  onProgress: (progress: PullProgress) => void,
): Promise<void> {
  const [fromImage, tag] = digestReference.split('@');
  const headers = await registryAuth(configDir, digestReference);
  const call = {
    method: 'POST',
    path: '/images/create',
    query: { fromImage, tag, platform },
    headers,
    timeoutMs: REGISTRY_MS,
  } as const;
  try {
    await follow(await wire.stream(call), onProgress);
  } catch (error) {
    throw pullError(toEngineError(error), digestReference);
  }
}

async function follow(answer: IncomingMessage, onProgress: (progress: PullProgress) => void): Promise<void> {
  const layers = new Map<string, { current: number; total: number }>();
  answer.setTimeout(SILENCE_MS, () =>
    answer.destroy(new EngineError('pull_failed', 'The pull made no progress for ten minutes.')),
  );
  // A cut answer ends the lines without an error, so it is kept here.
  let broken: Error | null = null;
  answer.once('error', (error) => (broken = error));
  for await (const line of linesWithin(answer, BOUNDS.engineLine.bytes)) {
    const parsed = parseLine(line);
    if (parsed.error !== undefined) throw new EngineError('pull_failed', parsed.error);
    if (countLayer(layers, parsed)) onProgress(sumOf(layers));
  }
  if (broken !== null || !answer.complete) throw broken ?? new Error('the answer was cut');
}

function parseLine(line: string): PullLine {
  try {
    return line.trim() === '' ? {} : (JSON.parse(line) as PullLine);
  } catch (error) {
    throw new EngineError('pull_failed', 'The progress of the pull was cut in the middle of a line.', { cause: error });
  }
}

/** Downloads only: the engine reports unpacking in the same form. */
function countLayer(layers: Map<string, { current: number; total: number }>, line: PullLine): boolean {
  const { id, status, progressDetail } = line;
  const known = layers.get(id ?? '');
  if (id && status === 'Downloading' && progressDetail?.total) {
    layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total });
    return true;
  }
  if (status === 'Download complete' && known) known.current = known.total;
  return status === 'Download complete' && known !== undefined;
}

function sumOf(layers: Map<string, { current: number; total: number }>): PullProgress {
  const all = [...layers.values()];
  const sum = (pick: (layer: { current: number; total: number }) => number): number =>
    all.reduce((total, layer) => total + pick(layer), 0);
  return { currentBytes: sum((layer) => layer.current), totalBytes: sum((layer) => layer.total) };
}

/** The registry's own errors are recognised by their text: the engine gives 403, 404 or 500 for the same (moby, api/server/router/distribution). */
function registryError(error: PilotError, reference: string): PilotError {
  if (isEngineLost(error)) return error;
  const words = messageOf(error).replace(/^The Docker Engine refused: /, '');
  // The engine waits for the registry, and has no limit of its own for one that accepts the connection and says nothing.
  if (error instanceof NotCompleted) return silentRegistry(error, reference, words);
  const status = engineStatusOf(error);
  if (status === undefined) return error;
  const denied =
    /unauthorized|denied|no basic auth|manifest unknown|not found|name unknown|forbidden|invalid reference/i;
  const isRefusal = [400, 401, 403, 404].includes(status) || denied.test(words);
  return isRefusal
    ? new EngineError(
        'registry_refused',
        `The registry does not provide ${reference}: ${words}. Check the name, the tag and the login (DOCKER_CONFIG).`,
        { cause: error },
      )
    : silentRegistry(error, reference, words);
}

function silentRegistry(cause: PilotError, reference: string, words: string): EngineError {
  return new EngineError('registry_unreachable', `The registry of ${reference} does not answer: ${words}`, { cause });
}

function pullError(error: PilotError, reference: string): PilotError {
  if (isEngineLost(error) || error.code === 'registry_refused') return error;
  const words = messageOf(error).replace(/^The Docker Engine refused: /, '');
  const message = `${reference} could not be pulled: ${words.replace(/\.$/, '')}. ${pullRemedy(words)}`;
  return new EngineError('pull_failed', message, { cause: error });
}

/** By the text of the engine (moby, distribution/) and of registries, the only information. The engine has already retried where that may help. */
const REMEDIES: readonly [words: RegExp, remedy: string][] = [
  [
    /verification failed/i,
    'The registry, or a proxy in front of it, sent content that does not match the digest. It was discarded. Retry, then check the proxy.',
  ],
  [/no space left|disk quota/i, "The engine's disk is full: `docker image prune -a` removes unused images."],
  [
    /too ?many ?requests|rate limit/i,
    'The registry limits pulls without a login. Configure a login (DOCKER_CONFIG), or wait.',
  ],
  [/unauthorized|denied|no basic auth|forbidden/i, 'Check the login for this registry (DOCKER_CONFIG).'],
  [
    /x509|certificate/i,
    "The engine does not trust the registry's certificate: check certs.d and the clock of the engine's host.",
  ],
  [/unknown|not found/i, 'The registry does not have all parts of the image. Check whether the publisher withdrew it.'],
];

function pullRemedy(words: string): string {
  const found = REMEDIES.find(([pattern]) => pattern.test(words));
  return found?.[1] ?? "Check the registry, and the engine's network, DNS and proxy.";
}

const DIGEST = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;

/**
 * Digest that the registry gives for a reference now, asked from this process: for an engine without `GET /distribution`
 * (Podman). Rejects as `Engine.registryDigest`.
 */
async function digestOfTag(dockerConfigDir: string | null, reference: string): Promise<string> {
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
  if (typeof named !== 'string' || !DIGEST.test(named)) throw registryRefused(url, 'it returned no digest for the tag');
  return named;
}
