import { PilotError } from '../domain/errors';
import type { Update } from '../domain/update';
import type { Secret } from '../lib/secret';
import { claimsOf, signApproval } from './approval-token';

export interface Links {
  publicUrl: string;
  /** The first signs. */
  approvalSecrets: readonly Secret[];
}

/**
 * The link of a mail to the page where an update is decided. It is made of what was offered and until when, so that of
 * the same offer it is always the same. Throws for an update that was never offered: there is nothing to decide.
 */
export function approvalUrl({ publicUrl, approvalSecrets }: Links, update: Update): string {
  const claims = claimsOf(update);
  if (claims === null) {
    throw new PilotError('internal_error', `The update ${update.id} is ${update.status} and was never offered.`);
  }
  return `${publicUrl}/approvals/${signApproval(approvalSecrets, claims)}`;
}
