import { illAmong } from '../containers/ill-containers';
import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { candidates } from '../domain/decision/candidates';
import type { ImageEvent } from '../domain/event';
import type { Illness } from '../domain/illness';
import type { Webhook } from '../ports/store';
import { decideOn, offer } from './offer';
import { readEvent } from './receive-webhook';

const AT_ONCE = 50;
/** `diun notif test` speaks of this image (recorded in test/fixtures/diun/notif-test.json). */
const TEST_IMAGE = 'docker.io/diun/testnotif:latest';

/**
 * Turns accepted webhooks into decisions, oldest first. An event whose container is being updated right now waits for
 * its end. Resolves with how many were handled; rejects with `engine_unreachable` and keeps all for later.
 */
export async function handleInbox(deps: Deps): Promise<number> {
  const pending = deps.store.inbox.pending(AT_ONCE);
  if (pending.length === 0) return 0;
  let containers = await readContainers(deps.engine, deps.selfId);
  const offered = aboutToBeOffered(deps, pending, containers);
  const ill = await illAmong(deps, offered);
  // Asking has taken its time, and somebody may have been updated in it.
  if (offered.length > 0) containers = await readContainers(deps.engine, deps.selfId);
  return pending.filter((webhook) => handle(deps, webhook, { containers, ill })).length;
}

/** Whose health is asked first, since a decision and its mail are one transaction. Of who is being updated nothing is decided yet. */
function aboutToBeOffered(deps: Deps, pending: readonly Webhook[], all: Container[]): Container[] {
  const running = new Set(deps.store.updates.withStatus('running').map(({ container }) => container));
  const offered = pending.flatMap(({ body }) => {
    const { image: reference, digest, releaseNotes } = readEvent(body);
    const target = { reference, digest };
    return candidates(all, { image: reference, digest }).filter(
      (container) =>
        !running.has(container.name) &&
        decideOn(deps, { container, all, target, source: 'diun', releaseNotes }).kind !== 'ignore',
    );
  });
  return [...new Set(offered)];
}

interface Seen {
  containers: Container[];
  /** Those that fail their health check, by id. */
  ill: ReadonlyMap<string, Illness>;
}

/** False: it must wait. The decisions of one event and the mark that it is handled are one transaction. */
function handle(deps: Deps, webhook: Webhook, seen: Seen): boolean {
  const event = readEvent(webhook.body);
  const concerned = candidates(seen.containers, event);
  const running = new Set(deps.store.updates.withStatus('running').map(({ container }) => container));
  if (running.size > 0 && (concerned.length === 0 || concerned.some(({ name }) => running.has(name)))) return false;
  deps.store.transaction(() => deps.store.inbox.handled(webhook.id, decideAll(deps, event, concerned, seen)));
  return true;
}

function decideAll(deps: Deps, event: ImageEvent, concerned: Container[], { containers: all, ill }: Seen): string {
  if (event.image === TEST_IMAGE) {
    return ignoreEvent(deps, event, 'This is the test notification of `diun notif test`: Diun reaches diun-pilot.');
  }
  if (concerned.length === 0) {
    const mend = 'Label the container that should be updated with diun.enable=true.';
    return ignoreEvent(deps, event, `No watched container runs an image of this repository. ${mend}`);
  }
  return concerned
    .map((container) => {
      const target = { reference: event.image, digest: event.digest };
      const { releaseNotes } = event;
      const illness = ill.get(container.id) ?? null;
      const { decision } = offer(deps, { container, all, target, source: 'diun', releaseNotes, ill: illness });
      return `${container.name}: ${decision.reason}`;
    })
    .join('\n');
}

/** Shown like any other update, so that the operator sees that Diun was heard and why nothing happens. */
function ignoreEvent({ store, clock, logger }: Deps, event: ImageEvent, reason: string): string {
  logger.info('event ignored', { image: event.image, reason });
  store.updates.insert({
    container: null,
    project: null,
    service: null,
    policy: null,
    status: 'ignored',
    reason,
    source: 'diun',
    from: null,
    to: { reference: event.image, digest: event.digest },
    approval: null,
    followUp: null,
    finishedAt: clock.now().toISOString(),
  });
  return reason;
}
