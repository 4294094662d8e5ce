import type { Deps } from '../deps';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { imageIfThere, inspectIfThere } from './if-there';

/**
 * As `inspectIfThere`; null also for a container that the engine lists but cannot describe, such as one in state `dead`
 * without its layer. One such container must not stop the work on all others: `reportUnreadable` reports it.
 */
export function inspectIfReadable(engine: Engine, id: string): Promise<ContainerInspect | null> {
  return unlessRefused(inspectIfThere(engine, id));
}

/** As `imageIfThere`, and null for an image that the engine cannot describe. */
export function imageIfReadable(engine: Engine, id: string): Promise<ImageInspect | null> {
  return unlessRefused(imageIfThere(engine, id));
}

async function unlessRefused<T>(asked: Promise<T | null>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (codeOf(error) === 'engine_refused') return null;
    throw error;
  }
}

/** Opens a notice, and writes to the log, once for each container or image that the engine cannot describe. */
export async function reportUnreadable({ engine, store, logger }: Deps): Promise<void> {
  const found = new Map<string, string>();
  const look = async <T>(subject: string, asked: Promise<T | null>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      if (codeOf(error) !== 'engine_refused') throw error;
      found.set(subject, messageOf(error));
      return null;
    }
  };
  for (const { id, name } of await engine.containers()) {
    const subject = name ?? id.slice(0, 12);
    const container = await look(`container ${subject}`, inspectIfThere(engine, id));
    if (container !== null) await look(`the image of ${subject}`, imageIfThere(engine, container.Image));
  }
  for (const { kind, subject } of store.notices.all())
    if (kind === 'unreadable' && !found.has(subject)) store.notices.close('unreadable', subject);
  for (const [subject, reason] of found) {
    const words = `the engine cannot describe ${subject}, which is skipped: remove it with docker rm -f, or restart Docker`;
    if (store.notices.open('unreadable', subject, words)) logger.error('an object is skipped', { subject, reason });
  }
}
