import type { Request } from 'express';
import type { z } from 'zod';
import { PilotError } from '../../domain/errors';

/** The query by the schema, as `validate`. What is encoded wrongly is refused: express would take it for other words. */
export function validateQuery<S extends z.ZodType>(schema: S, { url, query }: Request): z.output<S> {
  const raw = url.split('?')[1] ?? '';
  try {
    decodeURIComponent(raw);
  } catch (cause) {
    throw new PilotError('invalid_request', 'The query has a % that encodes nothing: write it as %25.', { cause });
  }
  return validate(schema, query, 'query');
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
