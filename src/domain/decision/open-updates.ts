import type { Container } from '../container';
import type { Source } from '../event';
import { hasTag, type ImageTarget, tagOf } from '../images/image-reference';
import { isHigherVersion, versionJump } from '../images/version-jump';
import type { Update } from '../update';
import { whyAsk } from './why-ask';

/** What has to be known of an update that waits, is queued or runs. */
export type OpenUpdate = Pick<Update, 'id' | 'status' | 'to' | 'source' | 'approval'>;

interface Obstacle {
  kind: 'ignore';
  code: 'already_open' | 'newer_waits';
  reason: string;
}

/**
 * What the open updates of a container mean for a new target: nothing to do, since this or a higher version is open
 * already; or the ids of those that the new one supersedes. One that runs is never superseded. A request of the
 * operator starts the pending update to the same tag and leaves a higher version pending. Automatic updates and updates that need approval
 * do not block each other: a patch runs while a major is pending, and the major leaves the queued patch alone. It also leaves alone
 * what the operator approved or requested.
 */
export function judgeOpenUpdates(given: {
  container: Container;
  target: ImageTarget;
  tag: string;
  /** The decision for the target alone. */
  kind: 'start' | 'ask';
  known: { open: readonly OpenUpdate[] };
  source: Source;
}): Obstacle | { supersedes: string[] } {
  const { container, tag, source } = given;
  const operator = source === 'operator';
  const isSame = ({ to }: OpenUpdate): boolean =>
    to.digest === given.target.digest && (!operator || hasTag(to.reference, tag));
  const same = given.known.open.filter(isSame);
  const others = given.known.open.filter((update) => !isSame(update));
  const underway = same.find(({ status }) => !(operator && status === 'awaiting_approval'));
  if (underway !== undefined) return alreadyOpen(container, underway);
  const newer = others.find(
    (update) => isHigher(update, tag) && !(given.kind === 'start' && update.status === 'awaiting_approval'),
  );
  if (newer !== undefined && !operator) return newerWaits(container, tag, newer);
  const replaced = others.filter((update) =>
    update.status === 'queued' ? given.kind === 'start' || !isOnItsWay(given, update) : !isHigher(update, tag),
  );
  return { supersedes: [...same, ...replaced].filter(({ status }) => status !== 'running').map(({ id }) => id) };
}

/** What the operator approved before and what is not due before this approval: only the higher version runs. */
export function replacedByApproval(approved: Update, open: readonly Update[]): Update[] {
  const tag = tagOf(approved.to.reference);
  if (tag === null) return [];
  const isDueBefore = ({ notBefore }: Update): boolean => (notBefore ?? '') < (approved.notBefore ?? '');
  return open.filter(
    (update) => update.status === 'queued' && isByOperator(update) && isLower(update, tag) && !isDueBefore(update),
  );
}

function isByOperator({ source, approval }: OpenUpdate): boolean {
  return source === 'operator' || approval?.status === 'approved';
}

/** Queued automatically or by the operator: an update that needs approval may be pending for long and does not delay it. */
function isOnItsWay({ container, tag }: { container: Container; tag: string }, update: OpenUpdate): boolean {
  const own = tagOf(container.reference);
  const queued = tagOf(update.to.reference);
  if (own === null || queued === null || queued === tag) return false;
  if (isByOperator(update)) return true;
  const { jump } = versionJump(own, queued);
  return jump !== 'incomparable' && whyAsk(container, jump) === null;
}

function isHigher({ to }: OpenUpdate, tag: string): boolean {
  const open = tagOf(to.reference);
  return open !== null && isHigherVersion(open, tag);
}

function isLower({ to }: OpenUpdate, tag: string): boolean {
  const open = tagOf(to.reference);
  return open !== null && isHigherVersion(tag, open);
}

function alreadyOpen({ name }: Container, { id, status, to }: OpenUpdate): Obstacle {
  const reason = `The update of ${name} to ${to.reference} with this same digest is ${statusText(status)} (${id}).`;
  return { kind: 'ignore', code: 'already_open', reason };
}

function newerWaits({ name }: Container, tag: string, { id, status, to }: OpenUpdate): Obstacle {
  const remedy = status === 'awaiting_approval' ? ` Approve or decline that one first.` : '';
  const reason = `${name} is not moved to ${tag}: the update to the higher ${to.reference} is ${statusText(status)} (${id}).${remedy}`;
  return { kind: 'ignore', code: 'newer_waits', reason };
}

const statusText = (status: OpenUpdate['status']): string =>
  status === 'awaiting_approval' ? 'waiting for approval already' : `${status} already`;
