import type { Request } from 'express';
import rawBody from 'raw-body';
import { PilotError } from '../../domain/errors';

/** No notification of Diun is larger. */
const LIMIT_BYTES = 64 * 1024;

/** Nothing is unpacked. */
export const COMPRESSED = 'Send the body without Content-Encoding.';

export function isCompressed({ headers }: Pick<Request, 'headers'>): boolean {
  const encoding = (headers['content-encoding'] ?? '').toLowerCase();
  return encoding !== '' && encoding !== 'identity';
}

/** As `readBytes`. Rejects a compressed body with `invalid_body`, too. */
export function readBody(request: Request, limitBytes = LIMIT_BYTES): Promise<Buffer> {
  if (isCompressed(request)) return Promise.reject(new PilotError('invalid_body', COMPRESSED));
  return readBytes(request, limitBytes);
}

/**
 * The bytes of a body, whatever its Content-Type says: Diun sends none. Rejects with `body_too_large` as soon as that is
 * known, and with `invalid_body` for a cut one. By `raw-body`, which Express' own parser uses: that parser answers a body
 * that is too large only after its end, which one that never ends does not have.
 */
export async function readBytes(request: Request, limitBytes = LIMIT_BYTES): Promise<Buffer> {
  try {
    return await rawBody(request, { length: request.headers['content-length'] ?? null, limit: limitBytes });
  } catch (cause) {
    request.resume(); // the rest is read away, else the connection would be stuck
    if ((cause as { type?: string }).type === 'entity.too.large') throw tooLarge(limitBytes);
    throw new PilotError('invalid_body', 'The connection ended inside the body.', { cause });
  }
}

/** The text of the bytes without a byte order mark; null when they are not UTF-8, which JSON always is (RFC 8259, 8.1). */
export function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Resolves with undefined for an empty body. */
export async function readJson(request: Request): Promise<unknown> {
  const text = utf8(await readBody(request));
  if (text === null) throw new PilotError('invalid_body', 'The body is not UTF-8, so it is not JSON.');
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (cause) {
    throw new PilotError('invalid_body', 'The body is not JSON.', { cause });
  }
}

function tooLarge(limitBytes: number): PilotError {
  const what = limitBytes === LIMIT_BYTES ? 'no notification of Diun and no request' : 'no form of diun-pilot';
  return new PilotError('body_too_large', `The body is larger than ${limitBytes / 1024} KiB, which ${what} is.`);
}
