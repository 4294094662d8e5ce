import { membersOf, backupPlaceOf } from '../domain/backups/backup';
import { holdsData, stoppedForBackup, whoGoesOn } from '../backups/writers';
import type { Deps } from '../deps';
import { restartedWith } from '../domain/compose/depends-on';
import { type Container, runningDigest } from '../domain/container';
import { decide, type Decision, type RegistryWord } from '../domain/decision/decision';
import type { Source } from '../domain/event';
import type { HealthFailure } from '../domain/health/health-failure';
import { hasTag, type ImageTarget, newReferenceFor, tagOf } from '../domain/images/image-reference';
import type { ReadNotes } from '../domain/notes/release-notes';
import type { Plan } from '../domain/plan/plan';
import { planUpdate } from '../domain/plan/plan-update';
import type { CarryOver } from '../domain/recreate/carry-over';
import { planService } from '../domain/services/plan-rollout';
import type { CheckedSignature } from '../domain/signatures/signature';
import type { ImageAt, Update } from '../domain/update';
import type { Logger } from '../lib/logger';
import type { NewUpdate } from '../ports/store';
import { isContainer } from '../services/look-at-target';
import {
  isRehearsed,
  isUnannounced,
  mailOfOffer,
  mailOfSuperseded,
  rehearseFirst,
  waitingApproval,
} from './mail-of-offer';
import { AT_ONCE, whenToStart, windowOf } from './when-to-start';
import { recordWrongSignature } from './signatures';

export interface Offer {
  container: Container;
  /** All containers of the engine: for the backup set and the plan. */
  all: readonly Container[];
  target: ImageTarget;
  source: Source;
  releaseNotes: string | null;
  /** What the registry says of the target; left out: the target is the registry's own word. */
  registry?: RegistryWord;
  /** How it fails its health check now; null: it passes. Not there: it was not asked. */
  unhealthy?: HealthFailure | null;
  /** What its replacement would be refused for or would lose. Not there: it was not examined. */
  carryOver?: CarryOver;
  /** The release notes between the two versions; null: no source of them is known. Not there: they were not read. */
  notes?: ReadNotes | null;
  /** Whether the target is signed as `update.verify` requires; null: nothing is required. Not there: it was not checked. */
  signature?: CheckedSignature | null;
  /** An earlier offer that was superseded for this one already. */
  replaces?: Update;
}

/**
 * Decides what one target means for one container, and stores the decision with its mail. One way for webhook,
 * reconcile and operator alike. Must be called inside a transaction, in which `decision` was made; does nothing but read and write the
 * store.
 */
export function offer(
  deps: Deps,
  offered: Offer,
  decision = decideOn(deps, offered),
): { decision: Decision; update: Update } {
  const { container, target } = offered;
  const open = deps.store.updates.openFor(container.name);
  deps.logger.info('decided', {
    container: container.name,
    to: target,
    decision: decision.kind,
    reason: decision.reason,
  });
  // Reconcile has already logged them for every container.
  if (offered.source !== 'reconcile') tellLabelProblems(deps.logger, container);
  if (decision.kind === 'ignore') {
    if (offered.replaces && decision.code !== 'already_open') mailOfSuperseded(deps, offered.replaces);
    for (const { id } of takenBack(deps, offered, decision))
      mailOfSuperseded(deps, supersede(deps, id, decision.reason));
    return { decision, update: recordIgnored(deps, offered, decision, open) };
  }
  const superseded = decision.supersedes.map((id) => supersede(deps, id, newerCame(target.reference)));
  const replaced = [...superseded, ...(offered.replaces ? [offered.replaces] : [])];
  if (offered.signature?.status === 'invalid') {
    for (const earlier of replaced) mailOfSuperseded(deps, earlier);
    return {
      decision,
      update: recordWrongSignature(deps, { ...rowOf(offered), container, signature: offered.signature }),
    };
  }
  return { decision, update: recordOffer(deps, offered, decision, replaced) };
}

/**
 * Pending offers that no longer hold, since their tag names again what the container runs, by a confirmed digest. None for
 * other decisions: those say nothing of where the tag is.
 */
export function takenBack(deps: Pick<Deps, 'store'>, offered: Offer, decision: Decision): Update[] {
  const isRunning = decision.kind === 'ignore' && ['already_runs', 'same_image'].includes(decision.code);
  return isRunning && !offered.registry?.refusal ? waitingForTag(deps, offered) : [];
}

/** The same decision without a trace: for who asks every day, where there is mostly nothing to do. */
export function decideOn(
  { store }: Pick<Deps, 'store'>,
  { container, target, source, registry, notes, signature }: Offer,
): Decision {
  const refusal = store.refusals.find(container.name, target.digest);
  return decide({
    container,
    target,
    known: { refusal, open: store.updates.openFor(container.name) },
    source,
    registry,
    notes,
    signature,
  });
}

function recordIgnored(
  deps: Pick<Deps, 'clock' | 'store'>,
  offered: Offer,
  decision: Extract<Decision, { kind: 'ignore' }>,
  open: Update[],
): Update {
  const tag = tagOf(offered.target.reference);
  const same = open.filter(({ to }) => to.digest === offered.target.digest);
  const one = same.find(({ to }) => hasTag(to.reference, tag)) ?? same[0];
  if (decision.code === 'already_open' && one !== undefined) return one;
  return deps.store.updates.insert({
    ...rowOf(offered),
    status: 'ignored',
    reason: decision.reason,
    approval: null,
    followUp: null,
    finishedAt: deps.clock.now().toISOString(),
  });
}

function recordOffer(
  deps: Deps,
  offered: Offer,
  decision: Extract<Decision, { kind: 'start' | 'ask' }>,
  replaced: readonly Update[],
): Update {
  const { container, target, source, notes = null, signature = null } = offered;
  const row = rowOf(offered);
  const plan = planOf(deps, offered, row.to.reference, decision.jump);
  // Of every digest, so that its age is known when a policy changes.
  const unasked = whenToStart(deps, container, target);
  const start = decision.kind === 'start' && source !== 'operator' ? unasked : AT_ONCE;
  const update = deps.store.updates.insert({
    ...row,
    status: decision.kind === 'start' ? 'queued' : 'awaiting_approval',
    reason: start.why === null ? decision.reason : `${decision.reason} ${start.why}`,
    ...{ notBefore: start.notBefore, inWindow: start.inWindow },
    approval: decision.kind === 'start' ? null : waitingApproval(deps),
    followUp: plan.followUp,
    notes: notes && { url: notes.url, versions: notes.versions, flags: notes.flags, problem: notes.problem },
    signature: signature && { status: signature.status, by: signature.by },
  });
  deps.store.updates.savePlan(update.id, plan);
  deps.store.notesTexts.save(update.id, notes?.releases ?? []);
  if (decision.kind === 'start') for (const earlier of replaced) mailOfSuperseded(deps, earlier);
  // Who requested it was answered; a pending approval needs its link, and a new major its rehearsal.
  if (source === 'operator' && decision.kind === 'start' && plan.newMajor === undefined) return update;
  const replaces = replaced.findLast((earlier) => !isUnannounced(deps, earlier))?.to ?? null;
  if (isRehearsed(container, plan, update.status)) return rehearseFirst(deps, update, replaces);
  mailOfOffer(deps, update, plan, replaces);
  return update;
}

function planOf(deps: Pick<Deps, 'updateWindow'>, offered: Offer, reference: string, jump: Plan['jump']): Plan {
  const { container, target, carryOver, notes, registry, unhealthy = null } = offered;
  const to = { ...target, reference };
  const window = windowOf(deps, container)?.text ?? null;
  const releaseNotes = notes?.url ?? offered.releaseNotes;
  const all = offered.all.filter((each) => isContainer(each) === isContainer(container));
  const set = membersOf(backupPlaceOf(container), all);
  const backup = { set, holdsData: holdsData(container, all), stopped: stoppedForBackup(container, all) };
  if (container.swarm) {
    const service = { target: container, goOn: whoGoesOn(container, all), ...backup };
    return planService({ ...service, to, jump, unhealthy, window, releaseNotes });
  }
  return planUpdate({
    container,
    ...backup,
    restarted: restartedWith(container, all),
    target: to,
    window,
    jump,
    unhealthy,
    newMajor: registry?.newMajor ?? null,
    ...(carryOver === undefined ? {} : { carryOver }),
    releaseNotes,
  });
}

function rowOf({ container, target, source }: Offer): Pick<
  NewUpdate,
  'kind' | 'container' | 'project' | 'service' | 'policy' | 'source'
> & {
  from: ImageAt;
  to: ImageAt;
} {
  return {
    kind: container.swarm ? 'service' : 'container',
    container: container.name,
    project: container.project,
    service: container.service,
    policy: container.labels.policy,
    source,
    from: { reference: container.reference, digest: runningDigest(container) },
    to: { reference: spelled(container.reference, target.reference), digest: target.digest },
  };
}

/** In the operator's own spelling, where the container has one. */
function spelled(own: string, target: string): string {
  try {
    return newReferenceFor(own, target);
  } catch {
    return target;
  }
}

/** Why an offer is superseded by `what`. */
export function newerCame(what: string): string {
  return `There is a newer digest for the same container: ${what}.`;
}

/** The tag moved, a newer one came, or the container changed: what was offered before is not what would be run. */
export function supersede({ store, clock }: Pick<Deps, 'clock' | 'store'>, id: string, reason: string): Update {
  const now = clock.now().toISOString();
  const update = store.updates.get(id);
  return store.updates.change(id, {
    status: 'superseded',
    reason,
    finishedAt: now,
    ...(update?.approval ? { approval: { ...update.approval, status: 'superseded', decidedAt: now } } : {}),
  });
}

/** The pending approval of a container for the tag of a target, with another digest than the tag has now. */
function waitingForTag(
  { store }: Pick<Deps, 'store'>,
  { container, target }: { container: Container; target: ImageTarget },
): Update[] {
  const tag = tagOf(target.reference);
  return store.updates
    .openFor(container.name)
    .filter(
      ({ status, to }) => status === 'awaiting_approval' && to.digest !== target.digest && hasTag(to.reference, tag),
    );
}

/** An invalid label is an error in the log (docs/labels.md); page and `check` show the same. */
export function tellLabelProblems(logger: Logger, { name, labels }: Pick<Container, 'name' | 'labels'>): void {
  for (const { label, value, message } of labels.problems) {
    logger.error('a label does not say what it may say', { container: name, label, value, reason: message });
  }
}
