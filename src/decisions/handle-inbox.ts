import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { candidates } from '../domain/decision/candidates';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import type { ImageEvent } from '../domain/event';
import type { HealthFailure } from '../domain/health/health-failure';
import { askAgainAt } from '../domain/patience';
import { NOTHING_TO_SAY, type CarryOver } from '../domain/recreate/carry-over';
import type { NewMajor } from '../domain/plan/postgres-major';
import type { ReadNotes } from '../domain/notes/release-notes';
import { fewAtATime, nextTurn } from '../lib/concurrency';
import type { CheckedSignature } from '../domain/signatures/signature';
import type { Webhook } from '../ports/store';
import { findUnhealthyTargets, targetCarryOvers } from '../services/look-at-target';
import { readTargets } from '../services/read-targets';
import { askRegistry, confirmDigest, type Confirmation, type RegistryAsked } from './ask-registry';
import { newMajorFor } from './new-major';
import { notesDeadline, readNotes } from './read-notes';
import { decideOn, offer, takenBack, type Offer } from './offer';
import { readEvent } from './receive-webhook';
import { runsSameImage } from './same-image';
import { checkSignature } from './signatures';

const AT_ONCE = 50;
const REGISTRIES_AT_ONCE = 4;
const FORGES_AT_ONCE = 4;
/** `diun notif test` speaks of this image (recorded in test/fixtures/diun/notif-test.json). */
const TEST_IMAGE = 'docker.io/diun/testnotif:latest';

/** One accepted webhook with the event in it. */
interface News {
  webhook: Webhook;
  event: ImageEvent;
}

/** What was found out about the news before the decisions, which are transactions and cannot wait for an answer. */
interface Seen {
  containers: Container[];
  /** Those that fail their health check, by id. */
  unhealthy: ReadonlyMap<string, HealthFailure>;
  /** What their replacement would be refused for or would lose, by ID. */
  carryOvers: ReadonlyMap<string, CarryOver>;
  /** What the registry says, by id of the webhook; only of news that something might be done about. */
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
 * digest of the tag, and while it does not answer, the event waits. An event whose container is being updated waits too.
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

async function handleAlone(deps: Deps, webhook: Webhook): Promise<number> {
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

async function handleAll(deps: Deps, webhooks: readonly Webhook[]): Promise<number> {
  const news = webhooks.map((webhook) => ({ webhook, event: readEvent(webhook.body) }));
  const seen = await lookInto(deps, news, await readTargets(deps));
  let handled = 0;
  for (const each of news) {
    await nextTurn(); // each writes to the disk
    if (handle(deps, each, seen)) handled++;
  }
  return handled;
}

async function lookInto(deps: Deps, news: readonly News[], containers: Container[]): Promise<Seen> {
  const concerned = news
    .map((each) => ({ ...each, offered: toBeOffered(deps, each.event, containers) }))
    .filter(({ offered }) => offered.length > 0);
  if (concerned.length === 0) return { containers, ...NOTHING };
  const registry = askRegistry(deps);
  const answers = await fewAtATime(concerned, REGISTRIES_AT_ONCE, ({ event }) =>
    confirmDigest((reference) => registry.digest(reference), event.target),
  );
  const confirmed = new Map(concerned.map(({ webhook }, index) => [webhook.id, answers[index] as Confirmation]));
  const same = concerned.filter(({ webhook }) => confirmed.get(webhook.id)?.kind === 'same');
  const sameImage = new Map(
    await fewAtATime(same, REGISTRIES_AT_ONCE, async ({ webhook, event: { target }, offered }) => {
      const run = await fewAtATime(offered, 1, (each) => runsSameImage(deps, each, target, registry));
      return [webhook.id, new Set(offered.filter((_, at) => run[at]).map(({ id }) => id))] as const;
    }),
  );
  const isNews = (webhook: Webhook, { id }: Container): boolean => sameImage.get(webhook.id)?.has(id) !== true;
  const offers = same.map((each) => ({ ...each, offered: each.offered.filter((one) => isNews(each.webhook, one)) }));
  const toOffer = [...new Set(offers.flatMap(({ offered }) => offered))];
  const reading = readAllNotes(deps, offers, registry);
  const unhealthy = await findUnhealthyTargets(deps, toOffer);
  const carryOvers = await targetCarryOvers(deps, toOffer);
  const signatures = await checkAllSignatures(deps, offers, registry);
  const newMajors = await findNewMajors(deps, offers, registry);
  const notes = await reading;
  // The questions have taken time, and a container may have been updated meanwhile.
  return {
    containers: await readTargets(deps),
    unhealthy,
    carryOvers,
    confirmed,
    sameImage,
    notes,
    signatures,
    newMajors,
  };
}

async function checkAllSignatures(
  deps: Deps,
  offers: readonly (News & { offered: Container[] })[],
  registry: RegistryAsked,
): Promise<Seen['signatures']> {
  const checked = await fewAtATime(pairsOf(offers), REGISTRIES_AT_ONCE, async ({ webhook, event, container }) => {
    return [offerKey(webhook, container), await checkSignature(deps, container, event.target, registry)] as const;
  });
  return new Map(checked);
}

async function findNewMajors(
  deps: Deps,
  offers: readonly (News & { offered: Container[] })[],
  registry: RegistryAsked,
): Promise<Seen['newMajors']> {
  const found = await fewAtATime(pairsOf(offers), REGISTRIES_AT_ONCE, async ({ webhook, event, container }) => {
    return [offerKey(webhook, container), await newMajorFor(deps, container, event.target, registry)] as const;
  });
  return new Map(found);
}

function pairsOf(offers: readonly (News & { offered: Container[] })[]): (News & { container: Container })[] {
  return offers.flatMap(({ webhook, event, offered }) => offered.map((container) => ({ webhook, event, container })));
}

/** All within one time, so that many events wait no longer than one. */
async function readAllNotes(
  deps: Deps,
  offers: readonly (News & { offered: Container[] })[],
  registry: RegistryAsked,
): Promise<Seen['notes']> {
  const pairs = pairsOf(offers);
  const signal = notesDeadline();
  const read = await fewAtATime(pairs, FORGES_AT_ONCE, async ({ webhook, event, container }) => {
    const notes = await readNotes(deps, container, event.target, { registry, signal });
    return [offerKey(webhook, container), notes] as const;
  });
  return new Map(read);
}

function offerKey(webhook: Webhook, { name }: Container): string {
  return `${webhook.id} ${name}`;
}

/** Those for which something might be done, or an offer taken back. Of a container that is being updated nothing is decided yet. */
function toBeOffered(deps: Deps, event: ImageEvent, all: Container[]): Container[] {
  const running = new Set(deps.store.updates.withStatus('running').map(({ container }) => container));
  return candidates(all, event.target).filter((container) => {
    const offered = offerOf(event, container, all);
    const decision = decideOn(deps, offered);
    const isNews = decision.kind !== 'ignore' || takenBack(deps, offered, decision).length > 0;
    return isNews && !running.has(container.name);
  });
}

function offerOf({ target, releaseNotes }: ImageEvent, container: Container, all: Container[]): Offer {
  return { container, all, target, source: 'diun', releaseNotes };
}

/** False: it must wait for the end of an update. The decisions of one event and the mark that it is handled are one transaction. */
function handle(deps: Deps, news: News, seen: Seen): boolean {
  const { webhook, event } = news;
  const concerned = candidates(seen.containers, event.target);
  const running = new Set(deps.store.updates.withStatus('running').map(({ container }) => container));
  if (running.size > 0 && (concerned.length === 0 || concerned.some(({ name }) => running.has(name)))) return false;
  const confirmed = seen.confirmed.get(webhook.id);
  if (confirmed?.kind === 'silent') return wait(deps, news, confirmed.reason);
  // Another container may have started since the registry was read.
  if (confirmed === undefined && toBeOffered(deps, event, seen.containers).length > 0) return false;
  deps.store.transaction(() => deps.store.inbox.handled(webhook.id, decideAll(deps, news, concerned, seen)));
  return true;
}

function wait(deps: Deps, { webhook, event }: News, reason: string): true {
  const until = postpone(deps, webhook, reason);
  const image = event.target.reference;
  deps.logger.warn('an event waits for the registry', { image, webhook: webhook.id, until, reason });
  return true;
}

function postpone({ store, clock }: Deps, webhook: Webhook, reason: string): string {
  const until = askAgainAt(new Date(webhook.receivedAt), clock.now());
  store.inbox.wait(webhook.id, until, `Waiting: ${reason} It is asked again at ${until}.`);
  return until;
}

function decideAll(deps: Deps, { webhook, event }: News, concerned: Container[], seen: Seen): string {
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
function ignoreEvent({ store, clock, logger }: Deps, event: ImageEvent, reason: string): string {
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
