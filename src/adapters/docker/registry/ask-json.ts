import { isIP } from 'node:net';
import { EngineError } from '../../../domain/errors';

/** A page of a thousand tags takes some ten kilobytes. */
const LARGEST_ANSWER_BYTES = 8 * 1024 * 1024;

export interface JsonAnswer {
  status: number;
  headers: Headers;
  /** Undefined: no JSON. */
  body: unknown;
}

/** One request, its answer read to its end within bounds. Rejects with `registry_unreachable`. */
export async function askJson(url: URL, signal: AbortSignal, init: RequestInit = {}): Promise<JsonAnswer> {
  try {
    const response = await fetch(url, { ...init, signal });
    const text = await readWithin(response);
    return { status: response.status, headers: response.headers, body: parse(text) };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('registry_unreachable', `The registry ${url.host} does not answer: ${whyOf(error)}.`, {
      cause: error,
    });
  }
}

async function readWithin(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES) {
      throw new EngineError('registry_unreachable', `The registry ${new URL(response.url).host} answers without end.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The engine's own rule for registries that may speak plain HTTP: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

export function refused(registry: URL, why: string): EngineError {
  return new EngineError(
    'registry_refused',
    `The registry ${registry.host} does not list its tags: ${why}. Check the name, and the login (DOCKER_CONFIG).`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `fetch failed` says nothing: its cause does. */
function whyOf(error: unknown): string {
  const { name, message, cause } = error as {
    name?: string;
    message?: string;
    cause?: { code?: string; message?: string };
  };
  if (name === 'TimeoutError') return 'it took too long';
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
