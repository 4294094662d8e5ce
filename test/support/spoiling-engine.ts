import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Engine } from '../../src/ports/engine';

/**
 * An engine that spoils what it reads and says that all went well, for commands and paths that match: what no hash of
 * the stored bytes can tell. `spoil` gets all of it.
 */
export function spoilingEngine(engine: Engine, matches: RegExp, spoil: (whole: Buffer) => Buffer): Engine {
  const spoiled = async (content: Readable): Promise<Readable> => Readable.from([spoil(await buffer(content))]);
  return {
    ...engine,
    execOutput: async (id, command, options) => {
      const content = await engine.execOutput(id, command, options);
      return matches.test(command.join(' ')) ? spoiled(content) : content;
    },
    archive: async (id, path) => {
      const content = await engine.archive(id, path);
      return matches.test(path) ? spoiled(content) : content;
    },
  };
}
