import type { Update } from '../domain/update';
import type { Secret } from '../lib/secret';
import { signApproval } from './approval-token';

export interface Links {
  publicUrl: string;
  /** The first signs. */
  approvalSecrets: readonly Secret[];
}

/** The link of a mail to the page where an update that waits is decided; null for one that does not wait. */
export function approvalUrl({ publicUrl, approvalSecrets }: Links, update: Update): string | null {
  if (update.approval === null || update.container === null || update.to.digest === null) return null;
  const token = signApproval(approvalSecrets, {
    update: update.id,
    container: update.container,
    from: update.from?.digest ?? null,
    to: update.to.digest,
    expiresAt: update.approval.expiresAt,
  });
  return `${publicUrl}/approvals/${token}`;
}
