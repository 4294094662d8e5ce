import type { Deps } from '../deps';
import type { ContainerInspect } from '../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import type { Engine, ListedContainer } from '../ports/engine';
import type { KeptContainer } from '../ports/stopped-containers';
import type { Store } from '../ports/store';
import { isOneOff, isOurs } from './artifact-names';
import { insist } from './insist';
import { inspectByName, inspectIfThere } from './read-containers';
import { keepStopped, PORT_IS_TAKEN, rearmRunning, startJoining } from './start-stop-remove';

type Keeping = Pick<Store, 'keptContainers'>;

/** The kept containers that run, since another process has started them, as `docker compose restart` does. */
export async function keptThatRun({ engine, store }: { engine: Engine; store: Keeping }): Promise<KeptContainer[]> {
  return store.keptContainers.all().length === 0 ? [] : runningOf(store, await engine.containers());
}

/** A one-off works on a copy of the data; one with another name is the operator's. */
function runningOf(store: Keeping, listed: readonly ListedContainer[]): KeptContainer[] {
  const running = new Set(listed.filter((each) => each.running && isOurs(each.name ?? '')).map(({ id }) => id));
  return store.keptContainers.all().filter(({ containerId, name }) => running.has(containerId) && !isOneOff(name));
}

/**
 * Looks at the containers that must be stopped, with one list: a kept one that runs is stopped again, and one that the operator
 * started has its restart policy back. Not while an update or a restore is interrupted, which decides on its own containers.
 * False: nothing more to do. Rejects only with `engine_unreachable`.
 */
export async function lookAtStopped(deps: Deps): Promise<boolean> {
  const { store } = deps;
  if (store.updates.withStatus('running').length > 0) return false;
  if (store.disarmed.all().length + store.keptContainers.all().length === 0) return false;
  const listed = await listIfPossible(deps);
  await stopKept(deps, listed ?? []);
  if (store.restores.next()?.status !== 'running') await rearmRunning(deps, listed);
  return false;
}

/** Two versions must not write to one volume. One that the operator runs in place of its replacement goes on. */
async function stopKept(deps: Deps, listed: readonly ListedContainer[]): Promise<void> {
  for (const kept of runningOf(deps.store, listed)) {
    try {
      await stopAgain(deps, kept);
    } catch (error) {
      rethrowEngineLost(error);
      noteTrouble(deps, kept, `It was started externally and could not be stopped: ${messageOf(error)}`);
    }
  }
  for (const kept of deps.store.keptContainers.all()) await noteBlocked(deps, kept, listed);
  for (const kept of deps.store.keptContainers.all()) await startBlocked(deps, kept);
}

/**
 * The engine may have gone down with a kept one that had the port of its replacement: that one was left without a start. Only while
 * the soak is watched, whose next look judges what does not start, so that it is tried once.
 */
async function noteBlocked(deps: Deps, kept: KeptContainer, listed: readonly ListedContainer[]): Promise<void> {
  const isWatched = deps.store.soaks
    .open()
    .some(({ status, oldContainerId }) => status === 'watching' && oldContainerId === kept.containerId);
  const bearer = listed.find(({ name }) => name === kept.container);
  if (!isWatched || bearer === undefined || bearer.running) return;
  try {
    const state = (await inspectIfThere(deps.engine, bearer.id))?.State;
    if (state?.Running === false && PORT_IS_TAKEN.test(state.Error))
      deps.store.keptContainers.add({ ...kept, blocks: bearer.id });
  } catch (error) {
    rethrowEngineLost(error);
    deps.logger.debug('the replacement of a kept container could not be looked at', { reason: messageOf(error) });
  }
}

/** While the kept one still runs, its replacement waits. What the engine goes on refusing is given up, and listed. */
async function startBlocked(deps: Deps, kept: KeptContainer): Promise<void> {
  const { blocks, ...done } = kept;
  if (blocks === undefined) return;
  const runs = async (id: string): Promise<boolean | undefined> =>
    (await inspectIfThere(deps.engine, id))?.State.Running;
  try {
    await insist(deps, `the start of ${kept.container}`, async () => {
      if ((await runs(kept.containerId)) === true) return;
      if ((await runs(blocks)) === false) await startJoining(deps, blocks);
      deps.store.keptContainers.add(done);
    });
  } catch (error) {
    rethrowEngineLost(error);
    const trouble = `It was started externally and was stopped again, but ${kept.container} does not start: ${messageOf(error)}`;
    noteTrouble(deps, done, trouble);
  }
}

/** Null: the engine does not list them, which keeps no other work waiting. */
async function listIfPossible({ engine, logger }: Deps): Promise<ListedContainer[] | null> {
  try {
    return await engine.containers();
  } catch (error) {
    rethrowEngineLost(error);
    logger.debug('the containers could not be listed', { reason: messageOf(error) });
    return null;
  }
}

async function stopAgain(deps: Deps, kept: KeptContainer): Promise<void> {
  const bearer = await inspectByName(deps.engine, kept.container);
  if (bearer === null || !isMeantToRun(bearer)) return;
  // First: after a crash in between it is stopped, and no one would know that both have run.
  noteStopped(deps, kept);
  // It may have taken the port of the other one, which is started next, also after a crash.
  deps.store.keptContainers.add({ ...kept, blocks: bearer.Id });
  await keepStopped(deps, kept.containerId);
}

/** It runs, or the engine could not start it; not one that was stopped. */
function isMeantToRun({ State }: ContainerInspect): boolean {
  return State.Running || State.Error !== '';
}

function noteStopped({ store, logger }: Deps, { updateId, container, name }: KeptContainer): void {
  logger.warn('a kept container was started externally and is stopped again', { update: updateId, container, name });
  const update = store.updates.get(updateId);
  const words = `The container ${name} was started externally next to ${container}, and was stopped again. Both may have written to the same data.`;
  if (update === null || update.reason.includes(words)) return;
  store.updates.change(updateId, { reason: `${update.reason} ${words}` });
}

function noteTrouble({ store, logger }: Deps, kept: KeptContainer, reason: string): void {
  store.keptContainers.add({ ...kept, reason });
  if (kept.reason !== reason) logger.error('a kept container was started externally', { name: kept.name, reason });
}
