import { changesOf, unknownChange } from '../data/compare-fingerprints';
import type { DataChange } from '../data/data-fingerprint';
import { DAY_MS, formatBytes, formatDuration, formatMinute } from '../format';
import type { NewMajor } from '../plan/postgres-major';
import type { ImageAt } from '../update';

/** The ends of a rehearsal (docs/rehearsal.md). */
export const REHEARSAL_ENDS = ['passed', 'failed', 'inconclusive', 'skipped'] as const;
export type RehearsalEnd = (typeof REHEARSAL_ENDS)[number];

/** The new image of an update, tried on a restored copy of the data. Times are ISO 8601. */
export interface Rehearsal {
  id: string;
  updateId: string;
  /** The digest that is tried: an approval of another one is not covered by it. */
  digest: string | null;
  status: 'queued' | 'running' | RehearsalEnd;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** From the start of the new container until it was healthy; null: it was not, or not tried. */
  seconds: number | null;
  /** What was seen, or why nothing was, as text. */
  detail: string | null;
  /** `link`: the holder of the link in the mail; null: diun-pilot itself, the command line, the API or the operator's page. */
  requestedBy: 'link' | null;
  /** The announcement of the update that waits for the verdict; null: none waits. */
  mail: HeldMail | null;
}

/** The mail about an offer: posted with the verdict, at the latest at `dueAt`. */
export interface HeldMail {
  dueAt: string;
  /** The image of an announced offer that this one supersedes. */
  replaces: ImageAt | null;
}

export interface Verdict {
  status: RehearsalEnd;
  seconds: number | null;
  detail: string;
}

/** It has no end yet. */
export function isUnderWay({ status }: Pick<Rehearsal, 'status'>): boolean {
  return status === 'queued' || status === 'running';
}

/** The verdict in a word or two, for mail, page, terminal and log. */
export const VERDICT_WORDS: Record<RehearsalEnd, string> = {
  passed: 'Passed',
  failed: 'Failed',
  inconclusive: 'Inconclusive',
  skipped: 'Not rehearsed',
};

const OLD_AFTER_MS = DAY_MS;

/** Why a verdict may no longer hold, as a sentence; null: it is of this digest and at most a day old. */
export function whyOutdated({ digest, finishedAt }: Rehearsal, approved: string | null, now: Date): string | null {
  if (digest !== approved) return 'The rehearsal tried another digest than the offered one: rehearse again.';
  if (finishedAt === null || now.getTime() - Date.parse(finishedAt) <= OLD_AFTER_MS) return null;
  return 'The rehearsal is older than 24 hours, and the data has changed since: rehearse again.';
}

/** What a passed rehearsal is reported with. */
export interface Passed {
  backup: BackupUsed | null;
  seconds: number;
  /** What the probe saw. */
  seen: string;
  change: DataChange | null;
  rows: readonly { database: string; before: string; after: string }[];
  /** How long the update is expected to take; null: not known. */
  expectedSeconds: number | null;
}

export interface BackupUsed {
  startedAt: string;
  bytes: number;
  /** It was taken for the rehearsal. */
  live: boolean;
}

/** One sentence to read, then what was measured. Pure. */
export function passedText(passed: Passed): string {
  const { seconds, seen, change, rows, expectedSeconds, backup } = passed;
  const changes =
    change === null || change.changes.length === 0 ? [] : [`Changed by the new version: ${changesOf(change)}.`];
  const unread = change === null ? null : unknownChange(change);
  const counted = rows.map((row) => `${row.database} (${fromTo(row.before, row.after)})`);
  return [
    `${onCopy(backup)}: ${schemaText(change)}healthy after ${formatDuration(seconds * 1000)}.`,
    ...changes,
    ...(unread === null ? [] : [unread]),
    ...(counted.length === 0 ? [] : [`Counted before and after: ${counted.join('; ')}.`]),
    `Health check: ${seen}.`,
    ...closing(backup, expectedSeconds),
  ].join(' ');
}

function closing(backup: BackupUsed | null, expectedSeconds: number | null): string[] {
  return [
    ...(backup === null ? [] : [`Size of the backup: ${formatBytes(backup.bytes)}.`]),
    ...(expectedSeconds === null
      ? []
      : [`The update is expected to take about ${formatDuration(expectedSeconds * 1000)}.`]),
  ];
}

/** One application of the set, in its current version, on both versions of the server. */
export interface TriedApplication {
  name: string;
  verdict: 'passed' | 'failed' | 'inconclusive' | 'skipped';
  /** How long it took, or why. */
  words: string;
}

/** What a passed rehearsal of a new PostgreSQL major is reported with. */
export interface MajorPassed {
  newMajor: Pick<NewMajor, 'from' | 'to'>;
  backup: BackupUsed | null;
  /** Of the load into the new version, the comparison included. */
  seconds: number;
  compared: string;
  tried: readonly TriedApplication[];
  expectedSeconds: number | null;
}

/** One sentence to read, then what was compared and tried. Pure. */
export function majorPassedText(passed: MajorPassed): string {
  const { newMajor, backup, seconds, compared, tried, expectedSeconds } = passed;
  const { from, to } = newMajor;
  const sentences = tried.map(({ name, verdict, words }) => {
    if (verdict === 'passed') return `${name} in its current version became healthy on PostgreSQL ${to} ${words}.`;
    if (verdict === 'skipped') return `${name} was not tried: ${words}`;
    return `${name} was not judged, because it does not become healthy in isolation on PostgreSQL ${from} either.`;
  });
  return [
    `${onCopy(backup)}: PostgreSQL ${from} to ${to}, loaded in ${formatDuration(seconds * 1000)}, and nothing differs.`,
    `Compared: ${compared}, with their owners, grants and settings. ANALYZE was run.`,
    ...sentences,
    ...closing(backup, expectedSeconds),
  ].join(' ');
}

/** Each reason as sentences that name the object and what to do. Pure. */
export function majorFailedText({ to }: Pick<NewMajor, 'to'>, reasons: readonly string[]): string {
  const why = reasons.join(' ');
  // What a machine said comes last.
  return why.includes('\n')
    ? `PostgreSQL ${to} does not accept the data. Production is unchanged. ${why}`
    : `${why} Production is unchanged.`;
}

/** The current version became healthy on the same data, so the difference is the new image. */
export function failedText(backup: BackupUsed | null, words: string): string {
  return `${onCopy(backup)}: the current version became healthy, the new one did not. Production is unchanged. ${words}`;
}

export function inconclusiveText(words: string): string {
  return `The current version does not become healthy in isolation either, so this says nothing about the new one. It may need a service outside of its backup set. ${words}`;
}

function onCopy(backup: BackupUsed | null): string {
  if (backup === null) return 'Rehearsed without data, because nothing of its set is backed up';
  const at = formatMinute(backup.startedAt);
  return backup.live
    ? `Rehearsed on a copy of a live backup from ${at}`
    : `Rehearsed on a copy of the backup from ${at}`;
}

function schemaText(change: DataChange | null): string {
  if (change === null) return '';
  if (change.changes.length > 0) return 'schema migrated, ';
  return change.unread.length > 0 ? '' : 'schema unchanged, ';
}

function fromTo(before: string, after: string): string {
  return before === after ? before : `${before} → ${after}`;
}
