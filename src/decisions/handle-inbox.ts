import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { candidates } from '../domain/decision/candidates';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import type { ImageEvent } from '../domain/event';
import { formatTime } from '../domain/format';
import type { HealthFailure } from '../domain/health/health-failure';
import { askAgainAt } from '../domain/decision/rests';
import { NOTHING_TO_SAY, type CarryOver } from '../domain/recreate/carry-over';
import type { NewMajor } from '../domain/plan/postgres-major';
import type { ReadNotes } from '../domain/notes/release-notes';
import type { ImageTarget } from '../domain/images/image-reference';
import { fewAtATime, nextTurn } from '../lib/promises';
import type { CheckedSignature } from '../domain/signatures/signature';
import type { AcceptedWebhook, Webhook } from '../ports/store';
import { findUnhealthyTargets, targetCarryOvers } from '../services/look-at-target';
import { readTargets } from '../services/read-targets';
import { askRegistry, confirmDigest, type Confirmation } from './ask-registry';
import { newMajorFor, runsSameImage } from './look-into';
import { notesDeadline, readNotes } from './read-notes';
import { decideOn, offer, takenBack, type Offer } from './offer';
import { checkSignature } from './signatures';
import { underWay } from './under-way';

const AT_ONCE = 50;
const REGISTRIES_AT_ONCE = 4;
const FORGES_AT_ONCE = 4;
/** `diun notif test` speaks of this image (recorded in test/fixtures/diun/notif-test.json). */
const TEST_IMAGE = 'docker.io/diun/testnotif:latest';

/** An event with one of the containers that its image is offered to. */
interface Pair {
  webhook: AcceptedWebhook;
  container: Container;
}

/** What was found out about the events before the decisions, which are transactions and cannot wait for an answer. */
interface Seen {
  containers: Container[];
  /** Those that fail their health check, by id. */
  unhealthy: ReadonlyMap<string, HealthFailure>;
  /** What their replacement would be refused for or would lose, by ID. */
  carryOvers: ReadonlyMap<string, CarryOver>;
  /** What the registry says, by id of the webhook; only of events that something might be done about. */
  confirmed: ReadonlyMap<string, Confirmation>;
  /** IDs of the containers that run what the digest names for their platform, by id of the webhook. */
  sameImage: ReadonlyMap<string, ReadonlySet<string>>;
  /** The release notes of what is offered, by `offerKey`. */
  notes: ReadonlyMap<string, ReadNotes | null>;
  /** Whether what is offered is signed as required, by the same. */
  signatures: ReadonlyMap<string, CheckedSignature | null>;
  /** Whether it is a new PostgreSQL major, by the same. */
  newMajors: ReadonlyMap<string, NewMajor | null>;
}

const NOTHING: Omit<Seen, 'containers'> = {
  unhealthy: new Map(),
  carryOvers: new Map(),
  confirmed: new Map(),
  sameImage: new Map(),
  notes: new Map(),
  signatures: new Map(),
  newMajors: new Map(),
};

/**
 * Turns accepted webhooks into decisions, oldest first. A webhook only says that something is new: the registry gives the
 * digest of the tag, and while it does not answer, the event waits. An event whose container is being updated, or is stopped
 * for another update or a restore, waits too.
 * An event that cannot be examined waits on its own and keeps no other from its decision.
 * Resolves with how many were handled or postponed; rejects with `engine_unreachable` and keeps all for later.
 */
export async function handleInbox(deps: Deps): Promise<number> {
  const pending = deps.store.inbox.pending(AT_ONCE);
  if (pending.length === 0) return 0;
  try {
    return await handleAll(deps, pending);
  } catch (error) {
    rethrowEngineLost(error);
    let handled = 0;
    for (const webhook of pending) handled += await handleAlone(deps, webhook);
    return handled;
  }
}

async function handleAlone(deps: Deps, webhook: AcceptedWebhook): Promise<number> {
  try {
    return await handleAll(deps, [webhook]);
  } catch (error) {
    rethrowEngineLost(error);
    const why = `This event cannot be examined, because of an error that diun-pilot did not expect: ${messageOf(error)}. Report it with the log.`;
    deps.logger.error('an event cannot be examined', { webhook: webhook.id, error });
    postpone(deps, webhook, why);
    return 1;
  }
}

async function handleAll(deps: Deps, webhooks: readonly AcceptedWebhook[]): Promise<number> {
  const containers = await readTargets(deps);
  // Looked into at each turn of the worker, they would ask the registry as long as the update takes.
  const ready = webhooks.filter(({ event }) => !mustWait(deps, event, containers));
  const seen = await lookIntoAll(deps, ready, containers);
  let handled = 0;
  for (const webhook of ready) {
    await nextTurn(); // each writes to the disk
    if (handle(deps, webhook, seen)) handled++;
  }
  return handled;
}

async function lookIntoAll(deps: Deps, webhooks: readonly AcceptedWebhook[], containers: Container[]): Promise<Seen> {
  const concerned = webhooks
    .map((webhook) => ({ webhook, offered: toBeOffered(deps, webhook.event, containers) }))
    .filter(({ offered }) => offered.length > 0);
  if (concerned.length === 0) return { containers, ...NOTHING };
  const registry = askRegistry(deps);
  const answers = await fewAtATime(concerned, REGISTRIES_AT_ONCE, ({ webhook: { event } }) =>
    confirmDigest((reference) => registry.digest(reference), event.target),
  );
  const confirmed = new Map(concerned.map(({ webhook }, index) => [webhook.id, answers[index] as Confirmation]));
  const same = concerned.filter(({ webhook }) => confirmed.get(webhook.id)?.kind === 'same');
  const sameImage = new Map(
    await fewAtATime(same, REGISTRIES_AT_ONCE, async ({ webhook: { id, event }, offered }) => {
      const run = await fewAtATime(offered, 1, (each) => runsSameImage(deps, each, event.target, registry));
      return [id, new Set(offered.filter((_, at) => run[at]).map((container) => container.id))] as const;
    }),
  );
  const pairs = same.flatMap(({ webhook, offered }) =>
    offered
      .filter((container) => sameImage.get(webhook.id)?.has(container.id) !== true)
      .map((container): Pair => ({ webhook, container })),
  );
  const signal = notesDeadline(); // one for all, so that many events wait no longer than one
  const reading = ofPairs(pairs, FORGES_AT_ONCE, (container, target) =>
    readNotes(deps, container, target, { registry, signal }),
  );
  const toOffer = [...new Set(pairs.map(({ container }) => container))];
  const unhealthy = await findUnhealthyTargets(deps, toOffer);
  const carryOvers = await targetCarryOvers(deps, toOffer);
  const signatures = await ofPairs(pairs, REGISTRIES_AT_ONCE, (container, target) =>
    checkSignature(deps, container, target, registry),
  );
  const newMajors = await ofPairs(pairs, REGISTRIES_AT_ONCE, (container, target) =>
    newMajorFor(deps, container, target, registry),
  );
  const notes = await reading;
  // The questions have taken time, and a container may have been updated meanwhile.
  const now = await readTargets(deps);
  return { containers: now, unhealthy, carryOvers, confirmed, sameImage, notes, signatures, newMajors };
}

/** What was found out about each, by `offerKey`. */
async function ofPairs<T>(
  pairs: readonly Pair[],
  atOnce: number,
  find: (container: Container, target: ImageTarget) => Promise<T>,
): Promise<Map<string, T>> {
  const found = await fewAtATime(pairs, atOnce, ({ webhook, container }) => find(container, webhook.event.target));
  return new Map(pairs.map(({ webhook, container }, index) => [offerKey(webhook, container), found[index] as T]));
}

function offerKey(webhook: Webhook, { name }: Container): string {
  return `${webhook.id} ${name}`;
}

/** Of a container that is under way nothing is decided yet; where an event concerns none, it may be the one that is being replaced. */
function mustWait({ store }: Pick<Deps, 'store'>, { target }: ImageEvent, all: Container[]): boolean {
  const busy = underWay(store);
  if (busy.size === 0) return false;
  const concerned = candidates(all, target);
  return concerned.length === 0 || concerned.some(({ name }) => busy.has(name));
}

/** Those for which something might be done, or an offer taken back. */
function toBeOffered(deps: Pick<Deps, 'store'>, event: ImageEvent, all: Container[]): Container[] {
  return candidates(all, event.target).filter((container) => {
    const offered = offerOf(event, container, all);
    const decision = decideOn(deps, offered);
    return decision.kind !== 'ignore' || takenBack(deps, offered, decision).length > 0;
  });
}

function offerOf({ target, releaseNotes }: ImageEvent, container: Container, all: Container[]): Offer {
  return { container, all, target, source: 'diun', releaseNotes };
}

/** False: it must wait for the end of an update or restore. The decisions of one event and the mark that it is handled are one transaction. */
function handle(deps: Deps, webhook: AcceptedWebhook, seen: Seen): boolean {
  const { id, event } = webhook;
  // An update may have started, or a container been created, since the registry was read.
  if (mustWait(deps, event, seen.containers)) return false;
  const confirmed = seen.confirmed.get(id);
  if (confirmed?.kind === 'silent') return waitForRegistry(deps, webhook, confirmed.reason);
  if (confirmed === undefined && toBeOffered(deps, event, seen.containers).length > 0) return false;
  deps.store.transaction(() => deps.store.inbox.handled(id, decideAll(deps, webhook, seen)));
  return true;
}

function waitForRegistry(
  deps: Pick<Deps, 'clock' | 'logger' | 'store' | 'timeZone'>,
  webhook: AcceptedWebhook,
  reason: string,
): true {
  const until = postpone(deps, webhook, reason);
  const image = webhook.event.target.reference;
  deps.logger.warn('an event waits for the registry', { image, webhook: webhook.id, until, reason });
  return true;
}

function postpone(
  { store, clock, timeZone }: Pick<Deps, 'clock' | 'store' | 'timeZone'>,
  webhook: Webhook,
  reason: string,
): string {
  const until = askAgainAt(new Date(webhook.receivedAt), clock.now());
  store.inbox.wait(webhook.id, until, `Waiting: ${reason} diun-pilot retries at ${formatTime(until, timeZone)}.`);
  return until;
}

function decideAll(deps: Deps, webhook: AcceptedWebhook, seen: Seen): string {
  const { event } = webhook;
  const concerned = candidates(seen.containers, event.target);
  if (event.target.reference === TEST_IMAGE) {
    return ignoreEvent(deps, event, 'This is the test notification of `diun notif test`: Diun reaches diun-pilot.');
  }
  if (concerned.length === 0) {
    const remedy = 'Label the container that should be updated with diun.enable=true.';
    return ignoreEvent(deps, event, `No watched container runs an image of this repository. ${remedy}`);
  }
  const confirmed = seen.confirmed.get(webhook.id);
  return concerned
    .map((container) => {
      const unhealthy = seen.unhealthy.get(container.id) ?? null;
      const carryOver = seen.carryOvers.get(container.id) ?? NOTHING_TO_SAY;
      const registry = confirmed && {
        refusal: confirmed.kind === 'same' ? null : confirmed.reason,
        sameImage: seen.sameImage.get(webhook.id)?.has(container.id) === true,
        newMajor: seen.newMajors.get(offerKey(webhook, container)) ?? null,
      };
      const offered = {
        ...offerOf(event, container, seen.containers),
        ...(registry && { registry }),
        unhealthy,
        carryOver,
        notes: seen.notes.get(offerKey(webhook, container)) ?? null,
        signature: seen.signatures.get(offerKey(webhook, container)) ?? null,
      };
      const { decision } = offer(deps, offered);
      return `${container.name}: ${decision.reason}`;
    })
    .join('\n');
}

/** Shown like any other update, so that the operator sees that Diun was heard and why nothing happens. */
function ignoreEvent(
  { store, clock, logger }: Pick<Deps, 'clock' | 'logger' | 'store'>,
  event: ImageEvent,
  reason: string,
): string {
  logger.info('event ignored', { image: event.target.reference, reason });
  store.updates.insert({
    container: null,
    project: null,
    service: null,
    policy: null,
    status: 'ignored',
    reason,
    source: 'diun',
    from: null,
    to: event.target,
    approval: null,
    followUp: null,
    finishedAt: clock.now().toISOString(),
  });
  return reason;
}
