import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { Engine } from '../../src/ports/engine';

/** An engine with an image that has a shell, a registry with a release that the engine has not got, and two networks. */
export interface EngineScene {
  engine: Engine;
  /** Prefix of all names, so that a scene can be taken down. */
  prefix: string;
  /** On the engine. */
  image: string;
  /** In the registry only: `name:tag`, and its digest. */
  published: { reference: string; digest: string };
  /** A reference that the registry does not know. */
  unpublished: string;
  network: string;
  takeDown(): Promise<void>;
}

/** Files of a tar with their content. */
export async function contentOf(tar: Readable): Promise<Record<string, Buffer>> {
  const entries = tar.pipe(extract());
  const files: Record<string, Buffer> = {};
  for await (const entry of entries) {
    const content = await buffer(entry);
    if (entry.header.type === 'file') files[entry.header.name] = content;
  }
  return files;
}
