import type { App } from '../app';

const LOOK_EVERY_MS = 200;
/** The service that did the work may have gone: then this process takes it over. */
const TAKE_OVER_EVERY_MS = 5_000;

export interface Followed<T> {
  look(): T;
  isOver(now: T): boolean;
  /** Called when what was seen differs from before; `before` is null at first. */
  changed(before: T | null, now: T): void;
}

/**
 * Does the queued work in this process, or watches the service do it, until it is over. Rejects with the signal's
 * reason when aborted: what runs in this process is then finished or left to recovery by `app.close()`.
 */
export async function follow<T>(app: App, followed: Followed<T>, signal: AbortSignal): Promise<T> {
  let working = await app.startWorker();
  let tried = app.clock.now().getTime();
  let seen: string | null = null;
  let before: T | null = null;
  for (;;) {
    const now = followed.look();
    const asText = JSON.stringify(now);
    if (asText !== seen) followed.changed(before, now);
    if (followed.isOver(now)) return now;
    [seen, before] = [asText, now];
    await app.clock.sleep(LOOK_EVERY_MS, signal);
    if (!working && app.clock.now().getTime() - tried >= TAKE_OVER_EVERY_MS) {
      working = await app.startWorker();
      tried = app.clock.now().getTime();
    }
  }
}
