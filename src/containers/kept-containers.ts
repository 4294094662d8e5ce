import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { asSentence, DAY_MS } from '../domain/format';
import { keptReason } from '../domain/recreate/carry-over';
import { holderRequest } from '../domain/recreate/layer';
import { KEPT_AFTER_FAILED_ROLLBACK_MS, putBackCommand, wayBackReason } from '../domain/recreate/way-back';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Engine } from '../ports/engine';
import type { KeptContainer } from '../ports/stopped-containers';
import type { Store } from '../ports/store';
import { asideName, asideParts, holdsNothing, isOneOff, isOurs, type Role } from './artifact-names';
import { copyWhole } from './carry-over/copy-files';
import { askedPlatform, lostFiles } from './carry-over/layer-files';
import { inspectByName, inspectIfThere } from './read-containers';
import { keepStopped, type PolicyDeps, rearm, removeByName, stopAndRemove } from './start-stop-remove';

/** What kept an engine from removing a container often passes in seconds, and `docker compose up -d` may act on it meanwhile. */
const TRY_AGAIN_MS = 600_000;

export interface KeptDeps extends PolicyDeps {
  store: Pick<Store, 'disarmed' | 'keptContainers'>;
  clock: Clock;
  logger: Logger;
}

/**
 * Keeps a container after the end of its update: stopped, with restart policy `no`, listed on the page and by `check`, and
 * removed by the worker once `keepUntil` has come. Recorded first, so that a crash in between leaves nothing hidden.
 */
export async function keepAside(deps: KeptDeps, kept: KeptContainer): Promise<void> {
  deps.store.keptContainers.add(kept);
  await keepStopped(deps, kept.containerId);
}

/** One that has no record yet. */
export type Found = Omit<KeptContainer, 'leftover' | 'keepUntil'>;

/** One that should have been removed: an error, and it is tried again every ten minutes and at the next start. */
export async function keepLeftover(deps: KeptDeps, found: Found): Promise<void> {
  await keepAside(deps, { ...found, leftover: true, keepUntil: triedAgainAt(deps) });
}

function triedAgainAt(deps: Pick<KeptDeps, 'clock'>): string {
  return timeAfter(deps, TRY_AGAIN_MS);
}

/** ISO 8601. */
function timeAfter({ clock }: Pick<KeptDeps, 'clock'>, ms: number): string {
  return new Date(clock.now().getTime() + ms).toISOString();
}

/** The old container where it is the way back: the operator brings it back or removes it. */
export async function keepWayBack(deps: KeptDeps, found: Found): Promise<void> {
  const reason = wayBackReason(found.container, found.name);
  await keepAside(deps, {
    ...{ ...found, reason, leftover: false },
    keepUntil: timeAfter(deps, KEPT_AFTER_FAILED_ROLLBACK_MS),
  });
}

/** How long files that are in no volume outlive their container. */
const KEPT_FOR_MS = DAY_MS;

/** The old container, and what runs in its place. `container`: the name that both have had. */
export interface Replaced {
  old: ContainerInspect;
  replacementId: string;
  container: string;
  updateId: string;
}

/**
 * Keeps the files that would be lost with the old container, for a day, before that is removed. It cannot be kept itself:
 * labels of a container cannot be changed, and with those of Compose on it the next `docker compose up -d` removes the
 * new one. So the files are copied into a container that has no label of Compose and is never started. It is recorded when it is
 * whole; one without a record is made again. May be done twice. Resolves with what is kept; null: nothing would be lost.
 * Rejects when it could not be done: then the old container must stay.
 */
export async function keepLostFiles(deps: KeptDeps, replaced: Replaced): Promise<KeptContainer | null> {
  const { engine, store } = deps;
  const { old, container, updateId } = replaced;
  const name = asideName(container, 'kept', updateId);
  const whole = store.keptContainers.all().find((kept) => kept.name === name && !kept.leftover);
  if (whole !== undefined) return whole;
  await keepStopped(deps, old.Id);
  const files = await lostFiles(engine, old, replaced.replacementId);
  await removeByName(deps, name);
  if (files.length === 0) return null;
  const containerId = await fill(deps, replaced, name, files);
  return keepForADay(deps, { containerId, container, name, updateId, reason: keptReason(container, name, files) });
}

/**
 * Records one that has no record: kept if the old container is gone, since then it may be all there is of the files. Else it
 * may not be whole, and the removal of the old one makes another.
 */
export async function adoptHolder(deps: KeptDeps, found: Found): Promise<void> {
  const old = asideName(found.container, 'old', found.updateId);
  const isThere = (await deps.engine.containers()).some(({ name }) => name === old);
  await (isThere ? keepLeftover(deps, found) : keepForADay(deps, found));
}

/** From now on. Resolves with the entry. */
async function keepForADay(deps: KeptDeps, found: Found): Promise<KeptContainer> {
  const kept = { ...found, leftover: false, keepUntil: timeAfter(deps, KEPT_FOR_MS) };
  await keepAside(deps, kept);
  return kept;
}

async function fill(deps: KeptDeps, replaced: Replaced, name: string, files: readonly string[]): Promise<string> {
  const { engine } = deps;
  const { old, container, updateId } = replaced;
  try {
    const image = await engine.inspectImage(old.Image);
    const { platform } = await askedPlatform(engine, old, image);
    const id = await engine.createContainer(name, holderRequest(old, image, platform));
    await copyWhole(engine, old, id, files);
    return id;
  } catch (error) {
    rethrowEngineLost(error);
    await removeByName(deps, name);
    const what = `${files.length} of its files are outside of volumes and could not be copied to be kept: ${messageOf(error)}`;
    const remedy = `Copy what you need: docker cp ${asideName(container, 'old', updateId)}:PATH .`;
    throw new PilotError(codeOf(error), `${what} ${remedy}`, { cause: error });
  }
}

/**
 * Removes the kept containers whose time has come; not that of a soak which has not ended, whatever the time. False: nothing more
 * to do. Rejects only with `engine_unreachable`.
 */
export async function removeDueContainers(deps: KeptDeps & { store: Pick<Store, 'soaks'> }): Promise<boolean> {
  const soaking = deps.store.soaks.open().map(({ oldContainerId }) => oldContainerId);
  for (const kept of deps.store.keptContainers.due(deps.clock.now().toISOString())) {
    if (soaking.includes(kept.containerId)) continue;
    try {
      await removeDue(deps, kept);
    } catch (error) {
      rethrowEngineLost(error);
      postpone(deps, kept, `It could not be removed: ${messageOf(error)}`);
    }
  }
  return false;
}

async function removeDue(deps: KeptDeps, kept: KeptContainer): Promise<void> {
  const { engine, store, logger } = deps;
  const found = await inspectIfThere(engine, kept.containerId);
  if (found !== null && !isOurs(found.Name)) {
    await rearm(deps, kept.containerId);
    store.keptContainers.remove(kept.containerId);
    logger.info('a kept container has another name by now and is the operator’s', { name: found.Name.slice(1) });
    return;
  }
  const isOld = asideParts(found?.Name.slice(1) ?? '')?.role === 'old';
  if (found !== null && isOneOff(found.Name)) await removeWithData(engine, kept.containerId);
  else if (found !== null && (kept.leftover || isOld) && !holdsNothing(found.Name)) {
    const bearer = await inspectByName(engine, kept.container);
    if (bearer === null) return postpone(deps, kept, onlyCopy(kept));
    await keepItsFiles(deps, kept, found, bearer);
  }
  if (found !== null && !isOneOff(found.Name)) await stopAndRemove(deps, kept.containerId);
  store.disarmed.remove(kept.containerId);
  store.keptContainers.remove(kept.containerId);
  logger.info('a kept container is removed', { container: kept.container, name: kept.name, update: kept.updateId });
}

/** Why an old container stays whose replacement is gone, with the commands that put it back. */
function onlyCopy({ container, name }: KeptContainer): string {
  return `No container has the name ${container}, so this one is not removed: it may hold the only copy of the data. To put it back: \`${putBackCommand(container, name)}\`.`;
}

/** An old container that was left over may hold files that its replacement does not have. */
async function keepItsFiles(
  deps: KeptDeps,
  { container, updateId }: KeptContainer,
  old: ContainerInspect,
  bearer: ContainerInspect,
): Promise<void> {
  if (asideParts(old.Name.slice(1))?.role !== 'old') return;
  await keepLostFiles(deps, { old, replacementId: bearer.Id, container, updateId });
}

function postpone(deps: KeptDeps, kept: KeptContainer, reason: string): void {
  deps.store.keptContainers.add({ ...kept, reason, leftover: true, keepUntil: triedAgainAt(deps) });
  if (kept.reason !== reason) deps.logger.warn('a kept container is not removed', { name: kept.name, reason });
}

const STOPS_WITHIN_SECONDS = 2;
const AGAIN_AFTER_MS = [1_000, 10_000];

export interface OneOffDeps {
  engine: Engine;
  store: Pick<Store, 'keptContainers'>;
  clock: Clock;
}

/** A container that worked on a copy of the data, for a rehearsal or a drill. */
export interface OneOff {
  id: string;
  /** The container whose data it had. */
  container: string;
  role: Extract<Role, 'rehearsal' | 'drill'>;
  /** Of the rehearsal or the backup. */
  workId: string;
}

/**
 * Stops the container and removes it with its data; already gone is fine. What cannot be removed is listed as left over, and its
 * removal is tried again later. Rejects with `engine_refused` then, and with `engine_unreachable`.
 */
export async function removeOneOff(deps: OneOffDeps, oneOff: OneOff): Promise<void> {
  try {
    await removeWithData(deps.engine, oneOff.id);
    deps.store.keptContainers.remove(oneOff.id);
  } catch (error) {
    rethrowEngineLost(error);
    throw leftOver(deps, oneOff, error);
  }
}

/** Does it again when the engine refuses: a container may be busy for a moment. Rejects as the last try does. */
export async function repeatRefused({ clock }: Pick<OneOffDeps, 'clock'>, act: () => Promise<void>): Promise<void> {
  for (const waitMs of AGAIN_AFTER_MS) {
    try {
      return await act();
    } catch (error) {
      rethrowEngineLost(error);
    }
    await clock.sleep(waitMs);
  }
  await act();
}

/** Rejects as the engine does. */
async function removeWithData(engine: Engine, id: string): Promise<void> {
  try {
    await engine.stop(id, STOPS_WITHIN_SECONDS);
    await engine.remove(id, { volumes: true });
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

function leftOver({ store, clock }: OneOffDeps, { id, container, role, workId }: OneOff, cause: unknown): PilotError {
  const name = asideName(container, role, workId);
  const reason = `A container of a ${role} could not be removed: ${messageOf(cause)}`;
  const keepUntil = triedAgainAt({ clock });
  store.keptContainers.add({ containerId: id, container, name, updateId: workId, reason, leftover: true, keepUntil });
  const message = `${asSentence(reason)} The removal is retried every ten minutes. To remove it now: docker rm --force --volumes ${name}`;
  return new PilotError('engine_refused', message, { cause });
}
