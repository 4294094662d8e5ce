import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';
import type { CreateRequest } from '../../src/domain/engine-inspect';
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
  hasVolume(name: string): Promise<boolean>;
  /** Where time only passes when it is told to. */
  passTime?(): Promise<void>;
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

/** Header of each entry of a tar, in its order. */
export async function headersOf(tar: Readable): Promise<Header[]> {
  const found: Header[] = [];
  for await (const entry of tar.pipe(extract())) {
    found.push(entry.header);
    entry.resume();
  }
  return found;
}

/** Type and name of each entry of a tar, in its order. */
export async function entriesOf(tar: Readable): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of tar.pipe(extract())) {
    found.push(`${entry.header.type} ${entry.header.name}`);
    entry.resume();
  }
  return found;
}

type Change = Partial<CreateRequest['body']>;

/** Containers of a scene that is set up by then: each under a name of its own, and ended at once when it is stopped. */
export function containersOf(scene: () => EngineScene): {
  nameOf: (what: string) => string;
  created: (command?: string[], change?: Change) => Promise<string>;
  running: (command?: string[], change?: Change) => Promise<string>;
} {
  const nameOf = (what: string): string => `${scene().prefix}-${what}-${randomUUID().slice(0, 8)}`;
  const created = (command = ['sleep', '1000'], change: Change = {}): Promise<string> =>
    scene().engine.createContainer(nameOf('container'), {
      body: {
        Image: scene().image,
        Entrypoint: [command[0] ?? 'sleep'],
        Cmd: command.slice(1),
        StopTimeout: 0,
        Labels: { [scene().prefix]: '' },
        HostConfig: { NetworkMode: 'default', AutoRemove: false },
        NetworkingConfig: { EndpointsConfig: {} },
        ...change,
      },
      connect: [],
    });
  const running = async (command?: string[], change?: Change): Promise<string> => {
    const id = await created(command, change);
    await scene().engine.start(id);
    return id;
  };
  return { nameOf, created, running };
}
