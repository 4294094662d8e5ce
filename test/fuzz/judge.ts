import { PilotError } from '../../src/domain/errors';
import { BrokenPromise, type Parser } from './parsers/parser';

/** Parses, and rejects where the parser ended in what is no answer of its own: that would be a crash where it runs. */
export async function parsesOrRefuses(parser: Parser, input: string): Promise<void> {
  try {
    await parser.parse(input);
  } catch (error) {
    if (error instanceof BrokenPromise || !isAnswer(parser, error)) throw error;
  }
}

function isAnswer({ errors = [] }: Parser, error: unknown): boolean {
  if (error instanceof PilotError) return error.code !== 'internal_error';
  return error instanceof Error && errors.includes(error.constructor.name);
}
