import type { Request } from 'express';
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
 * known, without waiting for the rest, and with `invalid_body` for a cut one.
 */
export function readBytes(request: Request, limitBytes = LIMIT_BYTES): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
    return Promise.reject(tooLarge(limitBytes));
  }
  return collect(request, limitBytes);
}

function collect(request: Request, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) return reject(tooLarge(limitBytes));
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('close', () => reject(new PilotError('invalid_body', 'The connection ended inside the body.')));
    request.on('error', (cause) =>
      reject(new PilotError('invalid_body', 'The connection broke inside the body.', { cause })),
    );
  });
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
