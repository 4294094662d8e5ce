import type { Deps } from '../../deps';
import type { Container } from '../../domain/container';
import { tryParseImageReference } from '../../domain/images/image-reference';
import type { Update } from '../../domain/update';

/** Why an offer is superseded by `what`. */
export function newerCame(what: string): string {
  return `A newer digest came for the same container: ${what}.`;
}

/** The tag moved, a newer one came, or the container changed: what was offered before is not what would be run. */
export function supersede({ store, clock }: Deps, id: string, reason: string): Update {
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
export function waitingForTag(
  { store }: Pick<Deps, 'store'>,
  { container, target }: { container: Container; target: { reference: string; digest: string } },
): Update[] {
  const tag = tryParseImageReference(target.reference)?.tag ?? null;
  return store.updates
    .openFor(container.name)
    .filter(
      ({ status, to }) => status === 'awaiting_approval' && to.digest !== target.digest && isTag(to.reference, tag),
    );
}

function isTag(reference: string, tag: string | null): boolean {
  return tag !== null && tryParseImageReference(reference)?.tag === tag;
}
