import type { Deps } from '../deps';
import type { NotYet } from '../domain/approval';
import { NOTES_READING } from '../domain/bounds';
import { type Container, runsDigest } from '../domain/container';
import { type GuardCode, passGuards } from '../domain/decision/guards';
import { type ErrorCode, PilotError } from '../domain/errors';
import {
  formatReference,
  hasTag,
  type ImageTarget,
  parseImageReference,
  sameRepository,
} from '../domain/images/image-reference';
import { refuseWhileObserving } from '../domain/mode';
import { isUnderWay } from '../domain/rehearsal/rehearsal';
import { type DecidedBy, type ImageAt, type Update, wayOf } from '../domain/update';
import { targetCarryOver } from '../services/look-at-target';
import { readTargets } from '../services/read-targets';
import { decideById, notYetOf, recordDecision } from './approve';
import { askRegistry } from './ask-registry';
import { registryWord } from './look-into';
import { offer, type Offer, supersede } from './offer';
import { notesDeadline, readNotes } from './read-notes';
import { CHANGE_IS_MADE, isChangeMade } from './reoffer';
import { checkSignature } from './signatures';
import { refuseUnderWay } from './under-way';

/** The error of a request for a container that is never updated. */
const REFUSALS: Record<GuardCode, ErrorCode> = {
  not_watched: 'container_not_watched',
  self: 'container_is_self',
  engine_door: 'container_is_engine_door',
  swarm_task: 'swarm_task',
  service_refused: 'service_refused',
  policy_ignore: 'policy_ignore',
  auto_remove: 'auto_remove',
  digest_reference: 'invalid_reference',
};

/**
 * The operator requests an update: to `image`, or to what the container's own tag names in the registry now. The request
 * is the approval, so that no policy, declined or failed digest blocks it; every other guard is the same. Where a required
 * signature is missing, the request waits for approval, so that the operator hears of it. So does a new PostgreSQL major, until its
 * rehearsal has passed. It approves a pending update to the same tag and digest; also one to another tag, if the request names no image and the own tag has nothing
 * new.
 *
 * Rejects with `container_not_found`, `container_not_watched`, `policy_ignore`, `container_is_self`, `auto_remove`,
 * `different_repository`, `invalid_reference`, `digest_not_confirmed`, `update_running`, `observe_mode`, `registry_…` and `engine_unreachable`.
 */
export async function requestUpdate(
  deps: Deps,
  request: { container: string; image?: string },
  by: DecidedBy = 'api',
): Promise<Update> {
  refuseWhileObserving(deps.mode, 'No update was requested.');
  const all = await readTargets(deps);
  const container = all.find(({ name }) => name === request.container);
  if (container === undefined) throw notFound(request.container, all);
  refuseGuarded(container);
  const target = await resolveTarget(deps, container, request.image);
  const other = nothingElse(container, target, request) ? waitingFor(deps, container)[0] : undefined;
  if (other !== undefined && other.to.digest !== target.digest) return decideById(deps, other.id, 'approve', by);
  const asked = askRegistry(deps);
  const registry = await registryWord(deps, container, target, asked);
  const reading = readNotes(deps, container, target, {
    registry: asked,
    signal: notesDeadline(NOTES_READING.requestedMs),
  });
  const carryOver = await targetCarryOver(deps, container);
  const signature = registry.sameImage ? null : await checkSignature(deps, container, target, asked);
  const seen = { registry, carryOver, notes: await reading, signature };
  const requested: Offer = { container, all, target, source: 'operator', releaseNotes: null, ...seen };
  return deps.store.transaction(() => recordRequest(deps, requested, by));
}

/** What is pending is approved, what is queued starts early, and what is neither is offered. */
function recordRequest(deps: Deps, requested: Offer, by: DecidedBy): Update {
  const { container, target, registry } = requested;
  const newMajor = registry?.newMajor ?? null;
  const found = waitingFor(deps, container).find(({ to }) => isSameTarget(to, target));
  const replaces = found && isChangeMade(deps, found, newMajor) && supersede(deps, found.id, CHANGE_IS_MADE);
  const meant = replaces ? undefined : found;
  const notYet = meant && notYetOf(deps, meant);
  if (notYet) return rehearsedAgain(deps, meant, notYet);
  const approved = meant && recordDecision(deps, meant, 'approve', by);
  if (approved) return approved;
  const held = waitingToStart(deps, container, target);
  if (held !== null) return startNow(deps, held, by);
  const { decision, update } = offer(deps, { ...requested, ...(replaces && { replaces }) });
  if (decision.kind === 'ignore' && decision.code === 'not_running')
    throw new PilotError('container_not_running', decision.reason);
  if (decision.kind !== 'ignore') recordActor(deps, update, by, 'requested');
  return update;
}

/** In the audit trail: who approved is recorded with the approval itself. */
function recordActor(
  { store }: Pick<Deps, 'store'>,
  { id, container, to }: Update,
  by: DecidedBy,
  decision: 'requested' | 'started early',
): void {
  const detail = { decision, container, reference: to.reference, digest: to.digest };
  store.audit.append({ kind: 'decision', actor: by, subject: id, detail });
}

/** Also where an update is pending: its container may have been re-created as one that is never updated. */
function refuseGuarded(container: Container): void {
  const { guard } = passGuards(container);
  if (guard !== null) throw new PilotError(REFUSALS[guard.code], guard.reason);
}

/** It stays pending. What was rehearsed without a pass, or too long ago, is rehearsed again. */
function rehearsedAgain({ store }: Pick<Deps, 'store'>, update: Update, { code }: NotYet): Update {
  const last = store.rehearsals.of(update.id);
  if (code === 'rehearsal_required' && (last === null || !isUnderWay(last)))
    store.rehearsals.insert({ updateId: update.id, digest: update.to.digest, mail: null });
  return update;
}

/** Another tag of the same digest is another update: the container would follow that tag from then on. */
function isSameTarget(to: ImageAt, target: ImageTarget): boolean {
  return to.digest === target.digest && hasTag(to.reference, parseImageReference(target.reference).tag);
}

/** Decided already, and held up by its age, its window, its rehearsal or the registry. */
function waitingToStart({ store }: Pick<Deps, 'store'>, { name }: Container, target: ImageTarget): Update | null {
  const open = store.updates.openFor(name);
  return (
    open.find(
      ({ status, to, notBefore, hold }) =>
        status === 'queued' && isSameTarget(to, target) && (notBefore !== null || hold !== null),
    ) ?? null
  );
}

/** The operator does not wait for it. */
function startNow(deps: Pick<Deps, 'logger' | 'store'>, update: Update, by: DecidedBy): Update {
  const { store, logger } = deps;
  recordActor(deps, update, by, 'started early');
  logger.info('the operator starts an update before its time', { update: update.id, container: update.container, by });
  const reason = `Started early ${wayOf(by)}. ${update.hold?.reason ?? update.reason}`;
  return store.updates.change(update.id, { notBefore: null, inWindow: false, hold: null, reason });
}

/** Those that wait for approval, oldest first. Throws `update_running`. */
function waitingFor({ store }: Pick<Deps, 'store'>, container: Container): Update[] {
  refuseUnderWay(store, container.name, 'wait until that has finished, see GET /updates.');
  return store.updates.openFor(container.name).filter(({ status }) => status === 'awaiting_approval');
}

/** No image is named, and the container runs what its own tag names: then the request means the pending update. */
function nothingElse(container: Container, { digest }: { digest: string }, { image }: { image?: string }): boolean {
  return image === undefined && runsDigest(container, digest);
}

async function resolveTarget(
  deps: Pick<Deps, 'engine'>,
  container: Container,
  image: string | undefined,
): Promise<ImageTarget> {
  const reference = parseImageReference(image ?? container.reference);
  if (!sameRepository(reference, parseImageReference(container.reference))) {
    throw new PilotError(
      'different_repository',
      `${container.name} runs ${container.reference}; ${image ?? ''} is of another repository. Change the compose file for that.`,
    );
  }
  const tag = reference.tag ?? parseImageReference(container.reference).tag;
  const target = formatReference({ ...reference, tag, digest: null });
  const digest = await deps.engine.registryDigest(target);
  if (image !== undefined && reference.digest !== null && reference.digest !== digest) {
    throw new PilotError(
      'digest_not_confirmed',
      `The registry names ${digest} for ${target}, not ${reference.digest}. Leave the digest out, or name a tag that has it.`,
    );
  }
  return { reference: target, digest };
}

function notFound(name: string, all: Container[]): PilotError {
  const watched = all.filter(({ labels }) => labels.watched).map((container) => container.name);
  const known = watched.length === 0 ? 'No container is watched.' : `Watched containers: ${watched.join(', ')}.`;
  return new PilotError('container_not_found', `There is no container ${name}. ${known}`);
}
