import { confirmDigest } from '../../decisions/ask-registry';
import { askAgainUnsigned, checkSignature, wrongSignature } from '../../decisions/signatures';
import type { Deps } from '../../deps';
import type { Container } from '../../domain/container';
import { askAgainAt } from '../../domain/patience';
import type { Update } from '../../domain/update';
import type { Unstarted } from '../finish';

/**
 * The last questions before an update starts, since the decision may be days old: does the registry still name the digest for
 * the tag, and is the digest signed as required? `held`: the registry does not answer, and the update stays in the queue, or
 * it waits for approval, since a signature is missing. `movedTo`: the digest that the tag has instead. Null: it may start.
 */
export async function confirmStart(
  deps: Deps,
  update: Update,
  container: Container,
): Promise<Unstarted | { held: Update } | { movedTo: string; reason: string } | null> {
  const confirmed = await confirmDigest((reference) => deps.engine.registryDigest(reference), update.to);
  switch (confirmed.kind) {
    case 'same':
      return confirmSignature(deps, update, container);
    case 'different':
      return { movedTo: confirmed.named, reason: `${update.container} was not changed. ${confirmed.reason}` };
    case 'unknown':
      return { status: 'failed', code: 'registry_refused', reason: confirmed.reason };
    case 'silent':
      return { held: hold(deps, update, confirmed.reason) };
  }
}

/** Nothing is pulled before it. That it was missing when the operator approved is the operator's word; a wrong one is refused always. */
async function confirmSignature(
  deps: Deps,
  update: Update,
  container: Container,
): Promise<Unstarted | { held: Update } | null> {
  const { reference, digest } = update.to;
  if (digest === null) return null;
  const registry = { signatures: (at: string) => deps.registrySignatures.of(at) };
  const checked = await checkSignature(deps, container, { reference, digest }, registry);
  if (checked === null) return null;
  const { status, by, why, code } = checked;
  if (status === 'unknown' && code === 'registry_unreachable') return { held: hold(deps, update, why ?? '') };
  if (status === 'unknown') return { status: 'failed', code: code ?? 'signature_not_checked', reason: why ?? '' };
  const wasKnown = update.signature?.status === 'missing' && update.approval?.status === 'approved';
  if (status === 'missing' && !wasKnown) return { held: askAgainUnsigned(deps, update, checked) };
  deps.store.updates.change(update.id, { signature: { status, by } });
  if (status !== 'invalid') return null;
  return { status: 'failed', code: 'signature_invalid', reason: wrongSignature(container.name, reference, checked) };
}

function hold({ store, clock, logger }: Deps, update: Update, why: string): Update {
  const now = clock.now();
  const since = update.hold?.since ?? now.toISOString();
  const reason = update.hold?.reason ?? update.reason;
  const until = askAgainAt(new Date(since), now);
  logger.warn('an update waits for the registry', { update: update.id, container: update.container, until, why });
  return store.updates.change(update.id, {
    hold: { since, until, reason },
    reason: `${reason} It waits for the registry, which is asked again: ${why}`,
  });
}
