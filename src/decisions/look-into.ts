import { foreseeCarryOver } from '../containers/carry-over/foresee';
import { healthFailureOf } from '../containers/check-health';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { askRegistry, type RegistryAsked } from './ask-registry';
import { notesDeadline, readNotes } from './notes/read-notes';
import type { Offer } from './offer';
import { runsSameImage } from './same-image';

/**
 * What an offer must know and a transaction cannot ask, of a target that is the registry's own word. `registry`: that of a
 * pass over many containers. Rejects with `engine_unreachable`.
 */
export async function lookInto(
  deps: Deps & { registry?: RegistryAsked },
  container: Container,
  target: Offer['target'],
): Promise<Required<Pick<Offer, 'registry' | 'unhealthy' | 'carryOver' | 'notes'>>> {
  const { registry = askRegistry(deps) } = deps;
  const sameImage = await runsSameImage(deps, container, target, registry);
  const reading = sameImage
    ? Promise.resolve(null)
    : readNotes(deps, container, target, { registry, signal: notesDeadline() });
  return {
    registry: { refusal: null, sameImage },
    unhealthy: await healthFailureOf(deps, container),
    carryOver: await foreseeCarryOver(deps, container),
    notes: await reading,
  };
}
