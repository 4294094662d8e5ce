import type { Request } from 'express';
import rawBody from 'raw-body';
import type { z } from 'zod';
import { PilotError } from '../../domain/errors';
import { actionForm, decisionForm } from '../api/schemas';

/** No notification of Diun is larger. */
const LIMIT_BYTES = 64 * 1024;

/** Nothing is unpacked. */
export const COMPRESSED = 'Send the body without Content-Encoding.';

export function isCompressed({ headers }: Pick<Request, 'headers'>): boolean {
  const encoding = (headers['content-encoding'] ?? '').toLowerCase();
  return encoding !== '' && encoding !== 'identity';
}

/** As `readBytes`. Rejects a compressed body with `invalid_body`, too. */
function readBody(request: Request, limitBytes = LIMIT_BYTES): Promise<Buffer> {
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
    if ((cause as { type?: string }).type === 'entity.too.large') throw bodyTooLarge(limitBytes);
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

/** Where a body is not needed: an empty one is an empty object. `null` is not. */
export async function readJsonOrNothing(request: Request): Promise<unknown> {
  const body = await readJson(request);
  return body === undefined ? {} : body;
}

function bodyTooLarge(limitBytes: number): PilotError {
  const what = limitBytes === LIMIT_BYTES ? 'no notification of Diun and no request' : 'no form of diun-pilot';
  return new PilotError('body_too_large', `The body is larger than ${limitBytes / 1024} KiB: ${what} is that large.`);
}

const FORM_LIMIT_BYTES = 4 * 1024;
const FIELDS = Object.keys({ ...decisionForm.shape, ...actionForm.shape });

/**
 * The fields of one of our forms, as browsers send it. Rejects with `invalid_body`, `body_too_large`, and with
 * `invalid_request` for a repeated field, because two decisions would be ambiguous. A field of no form of ours counts for nothing.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (!request.is('application/x-www-form-urlencoded')) {
    throw new PilotError('invalid_body', 'Send the form as application/x-www-form-urlencoded.');
  }
  const text = utf8(await readBody(request, FORM_LIMIT_BYTES));
  if (text === null) throw new PilotError('invalid_body', 'The form is not UTF-8.');
  const form = new URLSearchParams(text);
  const twice = FIELDS.find((field) => form.getAll(field).length > 1);
  if (twice !== undefined) {
    throw new PilotError('invalid_request', `The field ${twice} comes twice. Nothing was decided.`);
  }
  return form;
}

/** The button that was pressed. Throws `invalid_request` for any other; `nothing`: what was not done, as a sentence. */
export function decisionIn<T extends string>(form: URLSearchParams, known: readonly T[], nothing: string): T {
  const decision = known.find((each) => each === form.get('decision'));
  if (decision !== undefined) return decision;
  const words = `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
  throw new PilotError('invalid_request', `The field decision must be ${words}. ${nothing}`);
}

/**
 * The query by the schema, as `validate`; an empty value counts as left out, as a form sends it. What is encoded wrongly is
 * refused: express would take it for other words.
 */
export function validateQuery<S extends z.ZodType>(schema: S, { url, query }: Request): z.output<S> {
  const raw = url.split('?')[1] ?? '';
  try {
    decodeURIComponent(raw);
  } catch (cause) {
    throw new PilotError('invalid_request', 'The query has a % that encodes nothing: write it as %25.', { cause });
  }
  const given = Object.entries(query).map(([name, value]) => [name, value === '' ? undefined : value]);
  return validate(schema, Object.fromEntries(given), 'query');
}

/** Parses by the schema, or throws `invalid_request` that names each field and what is wrong with it. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, what: 'query' | 'body'): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    field: issue.path.join('.') || what,
    reason: issue.message,
  }));
  const words = problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
  throw new PilotError('invalid_request', `The ${what} has the wrong shape: ${words}.`, { details: { problems } });
}
