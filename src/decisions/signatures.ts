import type { Deps } from '../deps';
import { type Container, runningDigest } from '../domain/container';
import { codeOf, type ErrorCode, messageOf } from '../domain/errors';
import { digestReference, type ImageTarget } from '../domain/images/image-reference';
import {
  type CheckedSignature,
  type FoundSignature,
  ruleText,
  type Signature,
  type VerifyRule,
  whyAskForSignature,
} from '../domain/signatures/signature';
import type { ImageAt, Update } from '../domain/update';
import { fewAtATime } from '../lib/promises';
import { seenInSteps } from '../notifications/mails/failure-text';
import { updateFailed } from '../notifications/mails/update-failed';
import { postMail } from '../notifications/post-mail';
import type { NewUpdate } from '../ports/store';
import { pageUrl } from './approval-links';
import { askRegistry, type RegistryAsked } from './ask-registry';
import { mailOfOffer, waitingApproval } from './mail-of-offer';

type Rule = Exclude<VerifyRule, { kind: 'off' }>;

/** Why it could not be checked; `code` says whose fault it is. */
export type SignatureChecked = CheckedSignature & { code: ErrorCode | null };

/** The container's own rule, else that of the settings; null: no signature is required. */
function verifyRuleOf({ verify }: Pick<Deps, 'verify'>, { labels }: Pick<Container, 'labels'>): Rule | null {
  const rule = labels.verify ?? verify;
  return rule.kind === 'off' ? null : rule;
}

/**
 * Whether exactly the digest of a target is signed as `update.verify` of its container requires; null: nothing is required.
 * A registry that does not answer, and a key that cannot be read, are `unknown`: never `missing`. One valid signature is
 * enough. Never rejects.
 */
export async function checkSignature(
  deps: Pick<Deps, 'verify' | 'signatureVerifier' | 'logger'>,
  container: Container,
  target: ImageTarget,
  registry: { signatures(digestReference: string): Promise<FoundSignature[]> },
): Promise<SignatureChecked | null> {
  const rule = verifyRuleOf(deps, container);
  if (rule === null) return null;
  const checked = await checkAgainst(deps, rule, target, registry);
  const { status, by, why } = checked;
  deps.logger.info('signature checked', { container: container.name, to: target, status, by, why });
  return checked;
}

async function checkAgainst(
  { signatureVerifier }: Pick<Deps, 'signatureVerifier'>,
  rule: Rule,
  { reference, digest }: ImageTarget,
  registry: { signatures(digestReference: string): Promise<FoundSignature[]> },
): Promise<SignatureChecked> {
  const invalid: string[] = [];
  try {
    for (const found of await registry.signatures(digestReference(reference, digest))) {
      const verified = await signatureVerifier.verify(found, digest, rule);
      if (verified?.valid === true) return { status: 'verified', by: verified.by, why: null, code: null };
      if (verified !== null) invalid.push(verified.why);
    }
  } catch (error) {
    return { status: 'unknown', by: null, why: messageOf(error), code: codeOf(error) };
  }
  if (invalid.length === 0) {
    const why = `no signature of ${digest} is in the registry`;
    return { status: 'missing', by: null, why, code: null };
  }
  const why = `${[...new Set(invalid)].slice(0, 3).join('; ')} (required: ${ruleText(rule)})`;
  return { status: 'invalid', by: null, why, code: 'signature_invalid' };
}

/** What happened and what to do, for a digest with a wrong signature. */
export function wrongSignatureReason(name: string, reference: string, { why }: CheckedSignature): string {
  return `${reference} is not signed as required, so ${name} was not changed: ${why ?? 'no signature holds'}. Do not run this image before you know why. If the key was replaced, correct update.verify, then request the update.`;
}

type Row = Pick<NewUpdate, 'project' | 'service' | 'policy' | 'source'> & { from: ImageAt; to: ImageAt };

/**
 * A digest with a wrong signature: a failed update, its quarantine and its mail. To be called in the transaction of the decision;
 * there is nothing that an operator could approve.
 */
export function recordWrongSignature(
  deps: Deps,
  { container, signature, ...row }: Row & { container: Container; signature: CheckedSignature },
): Update {
  const { store, clock, logger } = deps;
  const { name } = container;
  const reason = wrongSignatureReason(name, row.to.reference, signature);
  const at = clock.now().toISOString();
  const update = store.updates.insert({
    ...row,
    container: name,
    status: 'failed',
    reason,
    approval: null,
    followUp: null,
    finishedAt: at,
    error: { code: 'signature_invalid', message: reason },
    signature: { status: signature.status, by: signature.by },
  });
  const { digest } = row.to;
  if (digest !== null) store.refusals.add({ container: name, digest, why: 'failed', updateId: update.id, at });
  logger.error('an image has a wrong signature', { update: update.id, container: name, to: row.to, reason });
  const news = { update, backup: null, page: pageUrl(deps, update), quarantined: true };
  postMail(store.outbox, updateFailed({ ...news, ...seenInSteps(update) }));
  return update;
}

/** A queued update turned out to be unsigned when it was about to start: it waits for approval, with its mail. */
export function askAgainUnsigned(deps: Deps, update: Update, signature: CheckedSignature): Update {
  const { store, logger } = deps;
  logger.warn('a signature is missing, so the update waits', { update: update.id, container: update.container });
  return store.transaction(() => {
    const asked = store.updates.change(update.id, {
      status: 'awaiting_approval',
      signature: { status: signature.status, by: signature.by },
      reason: `The update waits for approval: ${whyAskForSignature(signature) ?? ''}. ${update.hold?.reason ?? update.reason}`,
      approval: { ...waitingApproval(deps), ...(update.approval && { usedUntil: update.approval.expiresAt }) },
      hold: null,
      notBefore: null,
      inWindow: false,
    });
    const plan = store.updates.plan(update.id);
    if (plan !== null) mailOfOffer(deps, asked, plan, null);
    return asked;
  });
}

/** Of the digest that a container runs. */
export interface SignatureSeen {
  name: string;
  /** What `update.verify` requires; null: nothing. */
  rule: ReturnType<typeof verifyRuleOf>;
  /** Null: nothing is required, or the image has no digest of a registry. */
  status: Signature['status'] | null;
  /** For a person, and what to do. */
  words: string;
}

const AT_ONCE = 4;

/** For `check`: whether what runs is signed. Changes nothing; never rejects. */
export function lookAtSignatures(deps: Deps, containers: readonly Container[]): Promise<SignatureSeen[]> {
  const registry = askRegistry(deps);
  return fewAtATime(containers, AT_ONCE, (container) => lookAtSignature(deps, container, registry));
}

async function lookAtSignature(
  deps: Pick<Deps, 'logger' | 'signatureVerifier' | 'verify'>,
  container: Container,
  registry: RegistryAsked,
): Promise<SignatureSeen> {
  const { name, reference } = container;
  const rule = verifyRuleOf(deps, container);
  const digest = runningDigest(container);
  if (digest === null)
    return { name, rule, status: null, words: 'its image comes from no registry, so nothing is signed' };
  const checked = await checkSignature(deps, container, { reference, digest }, registry);
  if (checked === null)
    return { name, rule, status: null, words: await whetherThere(deps, reference, digest, registry) };
  return { name, rule, status: checked.status, words: wordsOf(checked) };
}

function wordsOf({ status, by, why }: NonNullable<Awaited<ReturnType<typeof checkSignature>>>): string {
  switch (status) {
    case 'verified':
      return `the running image is signed by ${by ?? ''}`;
    case 'missing':
      return `${why ?? ''}, so an update to an unsigned image waits for approval: sign it, or set update.verify=off`;
    case 'invalid':
      return `the running image is signed by another key or identity: ${why ?? ''}. An update to such an image is refused: correct update.verify, or find out who signed it`;
    case 'unknown':
      return `the signature could not be checked, and no update starts before it is: ${why ?? ''}`;
  }
}

/** Without a rule no signature can be called right. */
async function whetherThere(
  { signatureVerifier }: Pick<Deps, 'signatureVerifier'>,
  reference: string,
  digest: string,
  registry: RegistryAsked,
): Promise<string> {
  try {
    const found = await registry.signatures(digestReference(reference, digest));
    return found.some((each) => signatureVerifier.isSignature(each))
      ? 'signed; set update.verify to require it'
      : 'not signed, and update.verify requires nothing';
  } catch (error) {
    return `not known whether it is signed: ${messageOf(error)}`;
  }
}
