import { formatTime, shortDigest } from '../format';
import { type Container, isBuiltHere, runsDigest } from '../container';
import type { Source } from '../event';
import {
  formatReference,
  type ImageReference,
  type ImageTarget,
  sameRepository,
  tryParseImageReference,
} from '../images/image-reference';
import { whyTagIsFiltered } from '../images/tags';
import { versionJump } from '../images/version-jump';
import type { NotesWord } from '../notes/release-notes';
import type { Plan } from '../plan/plan';
import { type CheckedSignature, whyAskForSignature } from '../signatures/signature';
import { type GuardCode, type OwnReference, passGuards, whyNotRunning } from './guards';
import { judgeOpenUpdates, type OpenUpdate } from './open-updates';
import type { NewMajor } from '../plan/postgres-major';
import { isSized, whyAsk, whyAskForMajor, whyAskForNotes } from './why-ask';

/** One target for one container, and what the store knows of both. */
export interface Question {
  container: Container;
  target: ImageTarget;
  known: {
    refusal: { why: 'failed' | 'declined'; at: string } | null;
    /** Waiting, queued or running for this container. */
    open: readonly OpenUpdate[];
  };
  source: Source;
  /** What the registry says of the target; left out: it was not asked. */
  registry?: RegistryWord;
  /** The release notes of the target; null: no source of them is known; left out: they were not read. */
  notes?: NotesWord | null;
  /** Whether the target is signed as required; null: nothing is required; left out: it was not checked. */
  signature?: CheckedSignature | null;
}

/** What speaks against a target, by the registry's own word. */
export interface RegistryWord {
  /** Why the digest is not what the registry names for the tag; null: it is. */
  refusal: string | null;
  /** Whether the digest is proven to be, for the platform of the container, the image that it runs; left out: not proven. */
  sameImage?: boolean;
  /** The image is of a newer PostgreSQL major than the one that runs; null or left out: it is not, or that is not known. */
  newMajor?: NewMajor | null;
}

/** What is to be done, with the reason as sentences for a person. `supersedes`: ids of open updates that it replaces. */
export type Decision = { kind: 'start' | 'ask'; jump: Plan['jump']; reason: string; supersedes: string[] } | Ignored;

/** Nothing is done; `code` for programs, the reason for a person. */
export interface Ignored {
  kind: 'ignore';
  code: IgnoreCode;
  reason: string;
}

/** Why nothing is done; each is decided and worded in one place of this folder. */
export type IgnoreCode =
  | GuardCode
  | 'not_running'
  | 'invalid_reference'
  | 'different_repository'
  | 'already_runs'
  | 'same_image'
  | 'other_tag_not_watched'
  | 'tag_filtered'
  | 'not_newer'
  | 'not_comparable'
  | 'failed_before'
  | 'declined_before'
  | 'digest_not_confirmed'
  | 'already_open'
  | 'newer_waits';

/** The question with its references read. */
interface Case extends Question {
  own: OwnReference;
  wanted: ImageReference;
  /** The target's tag; the container's own where the target names only a digest. */
  tag: string;
}

/**
 * Decides what one target means for one container (docs/labels.md). Guards come first and apply to everyone;
 * then the limits of Diun and reconcile, which the operator may exceed; then the policy.
 */
export function decide(question: Question): Decision {
  const passed = passGuards(question.container);
  if (passed.guard !== null) return ignore(passed.guard.code, passed.guard.reason);
  const guarded = readCase(question, passed.own);
  if ('kind' in guarded) return guarded;
  const jump = jumpOf(guarded);
  const refused = refuseRepetition(guarded) ?? (guarded.source === 'operator' ? null : refuseUnasked(guarded));
  if (refused !== null) return refused;
  const useless = refuseNotRunning(guarded) ?? refuseUnconfirmed(guarded) ?? refuseSameImage(guarded);
  if (useless !== null) return useless;
  const verdict = startOrAsk(guarded, jump);
  const open = judgeOpenUpdates({ ...guarded, kind: verdict.kind });
  if ('kind' in open) return open;
  return { ...verdict, jump, supersedes: open.supersedes };
}

function readCase(question: Question, own: OwnReference): Case | Ignored {
  const { container, target } = question;
  const wanted = tryParseImageReference(target.reference);
  if (wanted === null) return ignore('invalid_reference', `${target.reference} is not an image reference.`);
  if (!sameRepository(own, wanted)) {
    const remedy = 'To change to it, edit the image in the compose file.';
    const reason = `${container.name} runs ${container.reference}; ${target.reference} is of another repository. ${remedy}`;
    return ignore('different_repository', reason);
  }
  return { ...question, own, wanted, tag: wanted.tag ?? own.tag };
}

/** The operator may move a container to another tag of the same content; for everybody else there is nothing to do. */
function refuseRepetition({ container, target, tag, own, source }: Case): Ignored | null {
  if (!runsDigest(container, target.digest) || (source === 'operator' && tag !== own.tag)) return null;
  const as = tag === own.tag ? '' : `, as ${container.reference}`;
  return ignore(
    'already_runs',
    `${container.name} already runs ${familiarName(target.reference)} (${shortDigest(target.digest)})${as}: nothing to do.`,
  );
}

function refuseUnasked(given: Case): Ignored | null {
  return (given.tag === given.own.tag ? null : refuseOtherTag(given)) ?? refuseKnownBad(given);
}

function refuseOtherTag({ container, own, tag }: Case): Ignored | null {
  const { name, labels, reference } = container;
  if (labels.watchRepo === false) {
    return ignore('other_tag_not_watched', `${name} follows ${reference} only (diun.watch_repo=false), not ${tag}.`);
  }
  const filtered = whyTagIsFiltered(tag, labels.includeTags, labels.excludeTags);
  if (filtered !== null) return ignore('tag_filtered', `${name} runs ${reference}: ${filtered}.`);
  const { jump, reason } = versionJump(own.tag, tag);
  const byHand = `To update to it anyway: ${commandFor(name, own, tag)}.`;
  if (jump === 'downgrade') return ignore('not_newer', `${name} runs ${reference}: ${reason}. ${byHand}`);
  if (jump !== 'incomparable') return null;
  return ignore('not_comparable', `${name} runs ${reference} and is not moved to ${tag}: ${reason}. ${byHand}`);
}

function refuseKnownBad({ container: { name }, known: { refusal }, target, own, tag }: Case): Ignored | null {
  if (refusal === null) return null;
  const what = `${familiarName(target.reference)} (${shortDigest(target.digest)})`;
  const again = `To try it anyway: ${commandFor(name, own, tag)}.`;
  if (refusal.why === 'failed') {
    return ignore(
      'failed_before',
      `${what} failed on ${name} at ${formatTime(refusal.at)} and is not retried automatically. ${again}`,
    );
  }
  return ignore(
    'declined_before',
    `${what} was declined for ${name} at ${formatTime(refusal.at)} and is not offered again. ${again}`,
  );
}

/** Its health cannot be checked, so no update of it could be judged. */
function refuseNotRunning({ container }: Case): Ignored | null {
  const why = whyNotRunning(container);
  if (why === null) return null;
  return ignore('not_running', `${why}. If it is not meant to stay up, label it update.policy=ignore.`);
}

function refuseUnconfirmed({ container: { name }, registry }: Case): Ignored | null {
  if (!registry || registry.refusal === null) return null;
  return ignore('digest_not_confirmed', `${name} stays as it is: ${registry.refusal}`);
}

/** As with a repetition, the operator may move a container to another tag of the same image. */
function refuseSameImage({ container: { name }, target, tag, own, source, registry }: Case): Ignored | null {
  if (registry?.sameImage !== true || (source === 'operator' && tag !== own.tag)) return null;
  const what = `${familiarName(target.reference)} (${shortDigest(target.digest)})`;
  const why = 'Only the index changed, for example because an architecture or an attestation was added';
  return ignore(
    'same_image',
    `${name} already runs the image that ${what} has for this platform. ${why}: nothing to do.`,
  );
}

function jumpOf({ own, tag }: Case): Plan['jump'] {
  const { jump } = versionJump(own.tag, tag);
  return jump === 'incomparable' ? 'other' : jump;
}

function startOrAsk(
  { container, own, tag, source, notes, signature, registry }: Case,
  jump: Plan['jump'],
): { kind: 'start' | 'ask'; reason: string } {
  const { labels } = container;
  const what = sentence(container, own, tag, jump);
  const unsigned = whyAskForSignature(signature);
  const newMajor = whyAskForMajor(registry?.newMajor);
  if (source === 'operator' && unsigned === null && newMajor === null)
    return { kind: 'start', reason: `${what} The operator requested the update.` };
  const why = unsigned ?? newMajor ?? whyAsk(container, jump) ?? whyAskForNotes(labels.askOn ?? [], notes);
  if (why !== null) return { kind: 'ask', reason: `${what} The update waits for approval: ${why}.` };
  return { kind: 'start', reason: `${what} The policy is automatic, up to ${labels.allow} updates.` };
}

function sentence(container: Container, own: ImageReference, tag: string, jump: Plan['jump']): string {
  const { name, reference } = container;
  if (jump === 'digest')
    return `${name}: the tag ${reference} has ${isBuiltHere(container) ? 'another image in the registry' : 'a new digest'}.`;
  const kind = isSized(jump) ? `${jump} update` : jump === 'downgrade' ? 'downgrade' : 'change of tag';
  return `${name}: ${kind} from ${own.tag ?? ''} to ${tag}.`;
}

function commandFor(name: string, own: ImageReference, tag: string): string {
  return `diun-pilot update ${name} ${familiarName(formatReference({ ...own, tag }))}`;
}

/** Without the parts that Docker adds: `nginx:1.28`. */
function familiarName(reference: string): string {
  return reference.replace(/^docker\.io\/(?:library\/)?/, '');
}

const ignore = (code: IgnoreCode, reason: string): Ignored => ({ kind: 'ignore', code, reason });
