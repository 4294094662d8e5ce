import { isOurs } from '../containers/artifact-names';
import { imageIfReadable, inspectAll, inspectIfReadable } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { isEngineLost, messageOf, rethrowEngineLost } from '../domain/errors';
import { formatTime } from '../domain/format';
import { type LostGuest, lostGuests, networkOwner } from '../domain/network/shared-network';
import { toContainer } from '../domain/to-container';
import { isDue } from '../lib/clock';
import { startLoop } from '../lib/loop';
import { networkLost } from '../notifications/mails/network-lost';
import { postMail } from '../notifications/post-mail';

const LISTEN_AGAIN_MS = 3_000;
const REFUSED_MS = 30_000;
/** A connection may be dead without a word: the events are an alarm clock, not the truth. */
const LOOK_EVERY_MS = 60_000;
/** The delay until a failed repair is retried. */
const TRY_AGAIN_MS = 5_000;

export interface NetworkWatch {
  /** Checks and repairs if an event requires it; called by the worker, which holds the lock. Rejects with `engine_unreachable`. */
  repair(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Listens for containers that start: those that live in the network of one that was started again have lost it
 * (docs/research/docker-engine.md). Looked at when the worker starts, when the engine comes back, after each start, and every
 * minute.
 */
export function watchNetworks(deps: Deps, wake: () => void): NetworkWatch {
  const { clock, logger } = deps;
  let lookAt = clock.now().getTime();
  const ears = listen(deps, () => {
    lookAt = clock.now().getTime();
    wake();
  });
  return {
    repair: async () => {
      const now = clock.now().getTime();
      if (!isDue(lookAt, now, LOOK_EVERY_MS)) return;
      lookAt = now + LOOK_EVERY_MS;
      try {
        if (!(await rejoinGuests(deps))) lookAt = Math.min(lookAt, now + TRY_AGAIN_MS);
      } catch (error) {
        if (!isEngineLost(error)) return void logger.error('a network could not be repaired', reasonOf(error));
        lookAt = now;
        throw error;
      }
    },
    stop: () => ears.stop(),
  };
}

/** Calls `look` after each start of a container, and whenever one may have been missed. */
function listen(deps: Pick<Deps, 'clock' | 'engine' | 'logger'>, look: () => void): { stop(): Promise<void> } {
  const stopped = new AbortController();
  let refused = false;
  const loop = startLoop({
    clock: deps.clock,
    restMs: LISTEN_AGAIN_MS,
    gatherMs: 0,
    turn: async () => {
      await hearStarts(deps, stopped.signal, () => {
        refused = false;
        look();
      });
      return false;
    },
    failed: (error) => {
      if (stopped.signal.aborted || isEngineLost(error)) return LISTEN_AGAIN_MS;
      if (!refused) deps.logger.warn('no Docker events: networks are checked periodically', reasonOf(error));
      refused = true;
      look();
      return REFUSED_MS;
    },
  });
  return {
    stop: async () => {
      stopped.abort(new Error('stopped'));
      await loop.stop();
    },
  };
}

/** `heard`: once it listens, since one may have been missed before, and after each start. Rejects as `Engine.events`. */
async function hearStarts(
  { engine, logger }: Pick<Deps, 'engine' | 'logger'>,
  signal: AbortSignal,
  heard: () => void,
): Promise<void> {
  const events = await engine.events(['start'], signal);
  heard();
  for await (const { containerId } of events) {
    logger.debug('a container was started', { id: containerId });
    heard();
  }
}

function reasonOf(error: unknown): { reason: string } {
  return { reason: messageOf(error) };
}

/** The container is unreachable: there is nothing to drain. */
const STOP_SECONDS = 1;

type Lost = LostGuest & { container: Container };

/**
 * Restarts watched containers that were detached from a shared network, and reports those that a restart cannot
 * re-attach; skips a container that is being updated. True when nothing is left to repair. Rejects only with
 * `engine_unreachable`.
 */
export async function rejoinGuests(deps: Deps): Promise<boolean> {
  const lost = await watchedOf(deps, lostGuests(await guestsAndOwners(deps)));
  closeNotices(deps, lost);
  let settled = true;
  for (const each of lost) {
    if (isBeingUpdated(deps, each.container)) settled = false;
    else if (each.kind === 'orphaned') tellOrphaned(deps, each.container);
    else settled = (await rejoin(deps, each.container, each.owner)) && settled;
  }
  return settled;
}

async function rejoin(
  deps: Pick<Deps, 'engine' | 'logger' | 'publicUrl' | 'store'>,
  container: Container,
  owner: ContainerInspect,
): Promise<boolean> {
  const name = owner.Name.slice(1);
  try {
    await deps.engine.restart(container.id, STOP_SECONDS);
  } catch (error) {
    rethrowEngineLost(error);
    const words = `${container.name} uses the network of ${name}, which was started again. ${container.name} could not be restarted to re-attach it: ${messageOf(error)}`;
    reportLostNetwork(deps, container, { words, triesAgain: true });
    return false;
  }
  const words = `${name}, whose network it uses, was started again (${formatTime(owner.State.StartedAt)}), so ${container.name} was restarted to re-attach it.`;
  deps.store.transaction(() => {
    deps.store.notices.close('network_lost', container.name);
    deps.store.incidents.add({ container: container.name, words });
  });
  deps.logger.warn('a container was re-attached to its network', { container: container.name, reason: words });
  return true;
}

function tellOrphaned(deps: Pick<Deps, 'logger' | 'publicUrl' | 'store'>, container: Container): void {
  const words = `The container whose network ${container.name} uses was removed. Its replacement has another ID, so a restart cannot re-attach ${container.name}.`;
  reportLostNetwork(deps, container, { words, triesAgain: false });
}

/** Once for as long as it lasts: log, page and mail. */
function reportLostNetwork(
  { store, logger, publicUrl }: Pick<Deps, 'logger' | 'publicUrl' | 'store'>,
  { name, service }: Container,
  { words, triesAgain }: { words: string; triesAgain: boolean },
): void {
  const byHand = triesAgain ? `docker restart ${name}` : 're-create it in the current network';
  const remedy = service === null ? byHand : `docker compose up -d ${service}`;
  const isNew = store.transaction(() => {
    const opened = store.notices.open('network_lost', name, `${name} has lost its network: ${remedy}`);
    if (opened) postMail(store.outbox, networkLost({ container: name, service, words, triesAgain, publicUrl }));
    return opened;
  });
  if (isNew) logger.error('a container has lost its network', { container: name, reason: words });
}

/** The notice closes when the container is attached again, whatever re-attached it. */
function closeNotices({ store }: Pick<Deps, 'store'>, lost: readonly Lost[]): void {
  const still = new Set(lost.map(({ container }) => container.name));
  for (const { kind, subject } of store.notices.all()) {
    if (kind === 'network_lost' && !still.has(subject)) store.notices.close(kind, subject);
  }
}

function isBeingUpdated({ store }: Pick<Deps, 'store'>, { name }: Container): boolean {
  return store.updates.openFor(name).some(({ status }) => status === 'running');
}

/** Who lives in the network of another, and those others: the times of their starts are not in the list. */
async function guestsAndOwners({ engine }: Pick<Deps, 'engine'>): Promise<ContainerInspect[]> {
  const all = (await inspectAll(engine)).filter(({ Name }) => !isOurs(Name));
  const owners = new Set(all.map(networkOwner).filter((owner) => owner !== null));
  const concerned = all.filter(
    (each) => networkOwner(each) !== null || owners.has(each.Id) || owners.has(each.Name.slice(1)),
  );
  const found = await Promise.all(concerned.map(({ Id }) => inspectIfReadable(engine, Id)));
  return found.filter((inspect) => inspect !== null);
}

async function watchedOf({ engine, selfId }: Pick<Deps, 'engine' | 'selfId'>, lost: LostGuest[]): Promise<Lost[]> {
  const read = lost.map(async (each) => {
    const image = await imageIfReadable(engine, each.guest.Image);
    return image === null ? null : { ...each, container: toContainer(each.guest, image, selfId) };
  });
  return (await Promise.all(read)).filter((each) => each?.container.labels.watched === true) as Lost[];
}
