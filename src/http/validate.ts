import type { z } from 'zod';
import { PilotError } from '../domain/errors';

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
