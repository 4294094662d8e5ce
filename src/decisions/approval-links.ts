import type { NotYet, Surroundings } from '../domain/approval';
import { backupPlaceOf } from '../domain/backups/backup';
import { PilotError } from '../domain/errors';
import type { Plan } from '../domain/plan/plan';
import type { Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import { isSignedBy, macOf, type Secret } from '../lib/secret';
import type { Store } from '../ports/store';

interface Links {
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

/** What a link speaks of, and nothing else: one update of one container, from one digest to one digest, until a time. */
export interface ApprovalClaims {
  update: string;
  container: string;
  /** The digest that ran when it was offered; null: the image was built here. */
  from: string | null;
  to: string;
  /** ISO 8601. */
  expiresAt: string;
}

const APPROVAL_PURPOSE = 'diun-pilot approval 1';

/** What was offered to a person; null for an update that never was. */
export function claimsOf({ id, approval, container, from, to }: Update): ApprovalClaims | null {
  if (approval === null || container === null || to.digest === null) return null;
  return { update: id, container, from: from?.digest ?? null, to: to.digest, expiresAt: approval.expiresAt };
}

/**
 * A token that admits to its update: the update's id and the HMAC-SHA256 of all the claims by the first of the secrets,
 * in base64url. The claims themselves are in the database: so a link is short and shows nothing to its reader.
 */
export function signApproval(secrets: readonly Secret[], claims: ApprovalClaims): string {
  return signToken(secrets, APPROVAL_PURPOSE, approvalParts(claims));
}

/**
 * Whether one of the secrets has signed just these claims, for this purpose. Expiry is not judged here: the state in the
 * database decides, the signature only admits.
 */
export function isSigned(secrets: readonly Secret[], token: string, claims: ApprovalClaims): boolean {
  return isSignedToken(secrets, APPROVAL_PURPOSE, token, approvalParts(claims));
}

function approvalParts({ update, container, from, to, expiresAt }: ApprovalClaims): TokenParts {
  return [update, container, from, to, expiresAt];
}

const VIEW_PURPOSE = 'diun-pilot view 1';
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
  return `${publicUrl}/approvals/${signToken(approvalSecrets, VIEW_PURPOSE, viewParts(update))}`;
}

/** Reads only. Null: the token is none of this purpose. */
export function readViewLink(
  { store, clock, approvalSecrets }: { store: Store; clock: Clock; approvalSecrets: readonly Secret[] },
  token: string,
): ViewLink | null {
  const update = store.updates.get(updateIdIn(token) ?? '');
  if (update === null || !isSignedToken(approvalSecrets, VIEW_PURPOSE, token, viewParts(update))) return null;
  const endedAt = update.finishedAt === null ? null : Date.parse(update.finishedAt);
  return { update, expired: endedAt !== null && endedAt + AFTER_THE_END_MS <= clock.now().getTime() };
}

function viewParts({ id, createdAt }: Update): TokenParts {
  return [id, createdAt];
}

const LONGEST_TOKEN = 200;
const MAC_BYTES = 32;

/** What a token speaks of, in a fixed order; the first is the id that stands in it. */
export type TokenParts = readonly [id: string, ...more: (string | null)[]];

/** `ID.MAC`: the id in the open, and the HMAC-SHA256 of all parts by the first of the secrets, in base64url. */
export function signToken(secrets: readonly Secret[], purpose: string, parts: TokenParts): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to sign with');
  return `${parts[0]}.${macOf(secret, purpose, contentOf(purpose, parts)).toString('base64url')}`;
}

/** The update that a token claims to belong to; null: not a token. It proves nothing. */
export function updateIdIn(token: string): string | null {
  return parse(token)?.id ?? null;
}

/** Every secret is tried, and compared in constant time. */
export function isSignedToken(secrets: readonly Secret[], purpose: string, token: string, parts: TokenParts): boolean {
  const parsed = parse(token);
  if (parsed === null || parsed.id !== parts[0]) return false;
  return isSignedBy(secrets, purpose, contentOf(purpose, parts), parsed.mac);
}

/** One spelling only: base64url ignores trailing bits, and an altered token must not be another spelling of a right one. */
function parse(token: string): { id: string; mac: Buffer } | null {
  const [, id = '', text = ''] = (token.length > LONGEST_TOKEN ? null : /^(\w+)\.([\w-]+)$/.exec(token)) ?? [];
  const mac = Buffer.from(text, 'base64url');
  return mac.length === MAC_BYTES && mac.toString('base64url') === text ? { id, mac } : null;
}

function contentOf(purpose: string, parts: TokenParts): string {
  return JSON.stringify([purpose, ...parts]);
}

export interface ApprovalReader {
  store: Store;
  clock: Clock;
  approvalSecrets: readonly Secret[];
}

const PAST_UPDATES = 20;

/** What the holder of a link may see now. Reads only: opening a link, also by a scanner, changes nothing. */
export function readApproval(reader: ApprovalReader, token: string): ApprovalView {
  const opened = openedBy(reader, token);
  if (opened === null) return { kind: 'unknown' };
  const { update, closed: why } = opened;
  if (why !== null) return { kind: 'closed', why, update };
  const plan = reader.store.updates.plan(update.id);
  if (plan === null) return { kind: 'unknown' };
  return { kind: 'open', update, plan, surroundings: surroundingsOf(reader.store, update) };
}

/**
 * The update that a token admits to: signed by us, of the very digests and container that the update is of. `closed`: why it
 * decides nothing; null: it decides. A link that approved what is asked about again stays used: its page showed something else.
 */
export function openedBy(reader: ApprovalReader, token: string): { update: Update; closed: ClosedWhy | null } | null {
  const { store, approvalSecrets } = reader;
  const update = store.updates.get(updateIdIn(token) ?? '');
  const claims = update && claimsOf(update);
  if (!update || !claims) return null;
  if (isSigned(approvalSecrets, token, claims)) return { update, closed: whyClosed(reader, update) };
  const usedUntil = update.approval?.usedUntil;
  const wasUsed = usedUntil !== undefined && isSigned(approvalSecrets, token, { ...claims, expiresAt: usedUntil });
  return wasUsed ? { update, closed: 'approved' } : null;
}

/** The state decides; of one that still waits, the time. */
export function whyClosed({ clock }: Pick<ApprovalReader, 'clock'>, { status, approval }: Update): ClosedWhy | null {
  if (status === 'awaiting_approval') {
    return approval !== null && approval.expiresAt > clock.now().toISOString() ? null : 'expired';
  }
  if (approval?.status === 'waiting' || approval === null) return 'superseded';
  return approval.status;
}

/** What past updates and backups show about the next update of its container. */
export function surroundingsOf(store: Store, update: Update): Surroundings {
  const past = store.updates.past({ container: update.container ?? '', limit: PAST_UPDATES });
  const seconds = past
    .flatMap(({ status, awaySeconds }) => (status === 'succeeded' && awaySeconds !== null ? [awaySeconds] : []))
    .sort((a, b) => a - b);
  return {
    lastBackup: store.backups.lastSucceeded(backupPlaceOf({ project: update.project, name: update.container ?? '' })),
    releases: store.notesTexts.of(update.id),
    usualDowntimeSeconds: seconds[Math.floor(seconds.length / 2)] ?? null,
    past,
    rehearsal: store.rehearsals.of(update.id),
    disk: store.notices.all().find(({ kind }) => kind === 'disk_nearly_full')?.figure ?? null,
  };
}

/** What the holder of a link may see. `unknown` gives no reason: altered, of another purpose, or never issued. */
export type ApprovalView =
  | { kind: 'unknown' }
  | { kind: 'open'; update: Update; plan: Plan; surroundings: Surroundings }
  | { kind: 'closed'; why: ClosedWhy; update: Update };

export type ClosedWhy = 'approved' | 'declined' | 'expired' | 'superseded';

/** What came of pressing a button. */
export type DecisionOutcome =
  | { kind: 'unknown' }
  /** It had been decided, had expired or was superseded before. */
  | { kind: 'closed'; why: ClosedWhy; update: Update }
  /** The container holds data, and its name was not typed as it is. Nothing was decided. */
  | { kind: 'name_needed'; update: Update; plan: Plan; surroundings: Surroundings }
  /** Something must happen before anyone can approve it. Nothing was decided. */
  | { kind: 'not_yet'; update: Update; plan: Plan; surroundings: Surroundings; notYet: NotYet }
  | { kind: 'approved' | 'declined'; update: Update }
  /** The registry does not know what was to be approved. Nothing was decided. */
  | { kind: 'refused'; update: Update; reason: string }
  /** The tag or the container moved meanwhile: nothing is applied, a new offer was made if there is something to offer. */
  | { kind: 'moved'; update: Update };
