import type { Request } from 'express';
import { PilotError } from '../domain/errors';
import { readBody, utf8 } from './read-body';

const LIMIT_BYTES = 4 * 1024;

/** The fields of a form of ours, as browsers send it. Rejects with `invalid_body` and `body_too_large`. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (!request.is('application/x-www-form-urlencoded')) {
    throw new PilotError('invalid_body', 'Send the form as application/x-www-form-urlencoded.');
  }
  const text = utf8(await readBody(request, LIMIT_BYTES));
  if (text === null) throw new PilotError('invalid_body', 'The form is not UTF-8.');
  return new URLSearchParams(text);
}
