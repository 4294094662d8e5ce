import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';

/**
 * Feeds all of `content` to a command, with back-pressure. A command that ends before its input does is not an error here:
 * the rest of the content is still read, so that its hash covers all of it.
 */
export async function feedCommand<T>(
  content: AsyncIterable<Buffer>,
  start: (input: Readable) => Promise<T>,
): Promise<T> {
  const input = new PassThrough();
  // An input that its reader gave up shows in the command's own outcome.
  input.on('error', () => undefined);
  const outcome = start(input);
  let over = false;
  const ended = outcome.then(
    () => (over = true),
    () => (over = true),
  );
  try {
    for await (const chunk of content) {
      if (!over && !input.write(chunk)) await Promise.race([once(input, 'drain'), ended]);
    }
  } catch (error) {
    input.destroy(error as Error);
    throw error;
  }
  input.end();
  return outcome;
}
