import type { ImageAt } from '../update';

/** The ends of a rehearsal (contract, section 6). */
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

const OLD_AFTER_MS = 24 * 3_600_000;

/** Why a verdict may no longer hold, as a sentence; null: it is of this digest and at most a day old. */
export function whyOutdated({ digest, finishedAt }: Rehearsal, approved: string | null, now: Date): string | null {
  if (digest !== approved) return 'It tried another digest than the one that is offered: rehearse again.';
  if (finishedAt === null || now.getTime() - Date.parse(finishedAt) <= OLD_AFTER_MS) return null;
  return 'It is older than 24 hours, and the data has changed since: rehearse again.';
}
