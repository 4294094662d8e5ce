import { plural } from '../domain/format';
import { reportUnreadable } from '../containers/read-containers';
import type { Deps } from '../deps';
import { type Container, ONE_PILOT, otherPilots } from '../domain/container';
import type { Decision, IgnoreCode } from '../domain/decision/decision';
import { passGuards } from '../domain/decision/guards';
import { highestTags, newerTags } from '../domain/decision/newer-tags';
import type { WorkOutcome } from '../domain/due-work';
import { messageOf, rethrowEngineLost, type ErrorCode } from '../domain/errors';
import {
  hasTag,
  type ImageTarget,
  parseImageReference,
  sameRepository,
  tryParseImageReference,
  withTag,
} from '../domain/images/image-reference';
import type { Update, UpdateStatus } from '../domain/update';
import { wasWithinLast } from '../lib/clock';
import type { Store } from '../ports/store';
import { readTargets } from '../services/read-targets';
import { askRegistry, type RegistryAsked } from './ask-registry';
import { lookInto } from './look-into';
import { reofferChanged } from './reoffer';
import { isTagRetried, NEEDS_A_CHANGE, RESTS_EXPIRED_MS, RESTS_FAILED_MS } from '../domain/decision/rests';
import { decideOn, offer, takenBack, tellLabelProblems, type Offer } from './offer';

const FAILED: readonly UpdateStatus[] = ['failed', 'rolled_back', 'rollback_failed'];
/** The digest is news, and nothing comes of it. */
const REPORTED_ONCE: readonly IgnoreCode[] = ['not_running', 'same_image'];

interface Reconciling extends Deps {
  all: Container[];
  registry: RegistryAsked;
  /** The registries that could not be read, as text. */
  problems: string[];
  /** The containers that could not be compared because of a defect, as text. */
  defects: string[];
}

/**
 * Compares running containers with the registry, because Diun does not repeat a lost event (docs/research/diun.md):
 * each watched container's own tag, with `diun.watch_repo=true` newer ones, and those of updates that failed. Its findings are
 * handled like a webhook; otherwise only the log records the run, together with every invalid label. A registry that refuses or does not answer
 * affects only its own containers, and a container that cannot be compared only itself.
 */
export async function reconcile(deps: Deps): Promise<WorkOutcome> {
  await reportUnreadable(deps);
  await reofferChanged(deps);
  const all = await readTargets(deps);
  for (const container of otherPilots(all))
    deps.logger.warn(`another diun-pilot serves here: ${ONE_PILOT}`, { container });
  for (const container of all) tellLabelProblems(deps.logger, container);
  const concerned = all.filter((container) => passGuards(container).guard === null);
  const run: Reconciling = { ...deps, all, registry: askRegistry(deps), problems: [], defects: [] };
  let found = 0;
  for (const container of concerned) found += await compared(run, container);
  return reconcileOutcome(concerned.length, found, run);
}

/** How many updates were offered. Rejects with `engine_unreachable` only. */
async function compared(run: Reconciling, container: Container): Promise<number> {
  let found = 0;
  try {
    for (const target of await targetsOf(run, container)) if (await offerIfNew(run, container, target)) found += 1;
  } catch (error) {
    rethrowEngineLost(error);
    run.logger.error('a container cannot be compared with the registry', { container: container.name, error });
    run.defects.push(`${container.name}: ${messageOf(error)}`);
  }
  return found;
}

/** Highest version first, so that a lower one is not offered only to be superseded at once. */
async function targetsOf(run: Reconciling, container: Container): Promise<ImageTarget[]> {
  const newer = await newerTargets(run, container);
  const others = failedTags(run, container).filter((tag) => !newer.some(({ reference }) => hasTag(reference, tag)));
  const references = [...others.map((tag) => withTag(container.reference, tag)), container.reference];
  return [...newer, ...(await named(run, container, references))];
}

/** A tag that failed or was declined does not hide those of a smaller step. */
async function newerTargets(run: Reconciling, container: Container): Promise<ImageTarget[]> {
  const { reference, labels } = container;
  if (labels.watchRepo !== true) return [];
  const all = (await asked(run, container, 'newer tags', () => run.registry.tags(reference))) ?? [];
  const refused: string[] = [];
  for (;;) {
    const tags = newerTags(container, all, refused);
    const targets = await named(
      run,
      container,
      tags.map((tag) => withTag(reference, tag)),
    );
    const isRefused = ({ digest }: ImageTarget): boolean => run.store.refusals.find(container.name, digest) !== null;
    const found = tags.filter((tag) => targets.some((each) => hasTag(each.reference, tag) && isRefused(each)));
    if (found.length === 0) return targets;
    refused.push(...found);
  }
}

/** With the digests that the registry has for them; without those that it does not give. */
async function named(run: Reconciling, container: Container, references: readonly string[]): Promise<ImageTarget[]> {
  const targets: ImageTarget[] = [];
  for (const reference of references) {
    const digest = await asked(run, container, reference, () => run.registry.digest(reference));
    if (digest !== null) targets.push({ reference, digest });
  }
  return targets;
}

/** Diun announces a tag once: one whose update failed through no fault of the image would not be heard of again. */
function failedTags({ store }: Pick<Deps, 'store'>, container: Container): string[] {
  const { name, reference, labels } = container;
  if (labels.watchRepo === false) return [];
  const own = parseImageReference(reference);
  const isQuarantined = ({ to }: Update): boolean =>
    to.digest !== null && store.refusals.find(name, to.digest) !== null;
  const tags = FAILED.flatMap((status) => past(store, name, status))
    .filter((update) => isTagRetried(update) && !isQuarantined(update))
    .flatMap(({ to }) => {
      const image = tryParseImageReference(to.reference);
      return image !== null && image.tag !== null && sameRepository(image, own) ? [image.tag] : [];
    });
  return highestTags(container, tags);
}

function past({ updates }: Pick<Store, 'updates'>, container: string, status: UpdateStatus): Update[] {
  return updates.list({ container, status, limit: 50 }).updates;
}

/** Null: it could not be asked, whatever the reason, and that is reported. Rejects with `engine_unreachable` only. */
async function asked<T>(run: Reconciling, { name }: Container, what: string, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    rethrowEngineLost(error);
    const problem = `${name} (${what}): ${messageOf(error)}`;
    if (run.problems.includes(problem)) return null;
    run.logger.warn('the registry could not be asked', { container: name, what, reason: messageOf(error) });
    run.problems.push(problem);
    return null;
  }
}

async function offerIfNew(run: Reconciling, container: Container, target: ImageTarget): Promise<boolean> {
  const first: Offer = { container, all: run.all, target, source: 'reconcile', releaseNotes: null };
  const isNew = (offered: Offer, decision: Decision): boolean =>
    isWorthARecord(run, offered, decision) && !rests(run, container, target.digest);
  if (!isNew(first, decideOn(run, first))) return false;
  const offered = { ...first, ...(await lookInto(run, container, target)) };
  return run.store.transaction(() => {
    const decision = decideOn(run, offered);
    return isNew(offered, decision) && offer(run, offered, decision).decision.kind !== 'ignore';
  });
}

/** An offer, or one to take back; or a reason against it that the operator should see once for each digest. */
function isWorthARecord(deps: Pick<Deps, 'store'>, offered: Offer, decision: Decision): boolean {
  if (decision.kind !== 'ignore' || takenBack(deps, offered, decision).length > 0) return true;
  return REPORTED_ONCE.includes(decision.code) && !wasIgnored(deps, offered);
}

function wasIgnored({ store }: Pick<Deps, 'store'>, { container, target }: Offer): boolean {
  return past(store, container.name, 'ignored').some(({ to }) => to.digest === target.digest);
}

function rests({ store, clock }: Pick<Deps, 'clock' | 'store'>, { name }: Container, digest: string): boolean {
  const ended = (status: UpdateStatus, withinMs: number, code?: ErrorCode): boolean =>
    past(store, name, status).some(
      ({ to, finishedAt, error }) =>
        to.digest === digest &&
        (code === undefined || error?.code === code) &&
        finishedAt !== null &&
        wasWithinLast(withinMs, new Date(finishedAt), clock.now()),
    );
  return (
    ended('expired', RESTS_EXPIRED_MS) ||
    NEEDS_A_CHANGE.some((code) => ended('failed', RESTS_EXPIRED_MS, code)) ||
    FAILED.some((status) => ended(status, RESTS_FAILED_MS))
  );
}

function reconcileOutcome(count: number, found: number, { problems, defects }: Reconciling): WorkOutcome {
  const outcome = `${plural(count, 'container')} compared with the registry, ${plural(found, 'update')} found.`;
  const unknown = [...problems, ...defects];
  if (unknown.length === 0) return { outcome, trouble: null };
  const silent = `a registry could not be read (${plural(problems.length, 'time')}): \`diun-pilot check\` shows which`;
  const failed = `diun-pilot had an internal error (${defects.join('; ')}): report it with the log`;
  const trouble = [...(problems.length > 0 ? [silent] : []), ...(defects.length > 0 ? [failed] : [])].join('; ');
  return { outcome: `${outcome} Not compared: ${unknown.join('; ')}`, trouble };
}
