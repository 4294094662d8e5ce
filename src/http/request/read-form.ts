import type { Request } from 'express';
import { PilotError } from '../../domain/errors';
import { readBody, utf8 } from './read-body';

const LIMIT_BYTES = 4 * 1024;

/**
 * The fields of one of our forms, as browsers send it. Rejects with `invalid_body`, `body_too_large`, and with
 * `invalid_request` for a repeated field, because two decisions would be ambiguous.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (!request.is('application/x-www-form-urlencoded')) {
    throw new PilotError('invalid_body', 'Send the form as application/x-www-form-urlencoded.');
  }
  const text = utf8(await readBody(request, LIMIT_BYTES));
  if (text === null) throw new PilotError('invalid_body', 'The form is not UTF-8.');
  const form = new URLSearchParams(text);
  const twice = [...form.keys()].find((field) => form.getAll(field).length > 1);
  if (twice !== undefined) {
    throw new PilotError('invalid_request', `The field ${twice} comes twice. Nothing was decided.`);
  }
  return form;
}
