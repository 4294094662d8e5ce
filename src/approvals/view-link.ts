import type { Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Secret } from '../lib/secret';
import type { Store } from '../ports/store';
import { claimsOf } from './approval-token';
import { approvalUrl, type Links } from './links';
import { isSignedToken, signToken, updateIdIn, type TokenParts } from './signed-token';

const PURPOSE = 'diun-pilot view 1';
/** As long as a mail is looked up again; the history of the operator page has every update after that. */
const AFTER_THE_END_MS = 30 * 24 * 3_600_000;

export interface ViewLink {
  update: Update;
  /** The update ended too long ago: the link no longer shows it. */
  expired: boolean;
}

/**
 * The live page of an update, for the foot of its mails, so that no mail leads to an address that asks for a password. Of what
 * was offered it is the address where it was decided.
 */
export function pageUrl(links: Links, update: Update): string {
  return claimsOf(update) === null ? viewUrl(links, update) : approvalUrl(links, update);
}

/** Shows this one update, and decides nothing. */
export function viewUrl({ publicUrl, approvalSecrets }: Links, update: Update): string {
  return `${publicUrl}/approvals/${signToken(approvalSecrets, PURPOSE, partsOf(update))}`;
}

/** Reads only. Null: the token is none of this purpose. */
export function readViewLink(
  { store, clock, approvalSecrets }: { store: Store; clock: Clock; approvalSecrets: readonly Secret[] },
  token: string,
): ViewLink | null {
  const update = store.updates.get(updateIdIn(token) ?? '');
  if (update === null || !isSignedToken(approvalSecrets, PURPOSE, token, partsOf(update))) return null;
  const endedAt = update.finishedAt === null ? null : Date.parse(update.finishedAt);
  return { update, expired: endedAt !== null && endedAt + AFTER_THE_END_MS <= clock.now().getTime() };
}

function partsOf({ id, createdAt }: Update): TokenParts {
  return [id, createdAt];
}
