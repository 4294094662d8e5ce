import type { Deps } from '../deps';
import { codeOf, messageOf } from '../domain/errors';
import type { Update } from '../domain/update';
import { confirmDigest, type Confirmation } from './confirm-digest';

/** As `confirmDigest`. Without an engine nothing can be asked: the approval is kept, and the start asks again. */
export async function confirmApproval({ engine }: Pick<Deps, 'engine'>, { to }: Update): Promise<Confirmation> {
  try {
    return await confirmDigest((reference) => engine.registryDigest(reference), to);
  } catch (error) {
    if (codeOf(error) !== 'engine_unreachable') throw error;
    return { kind: 'silent', reason: messageOf(error) };
  }
}
