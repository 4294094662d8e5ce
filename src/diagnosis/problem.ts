/** One thing that is wrong now. It is found and worded here once; `/health`, the page, the metrics and `check` render it. */
export interface Problem {
  kind: ProblemKind;
  /** What it is about, such as a timer or a channel; null: the whole service. */
  subject: string | null;
  /** A clause for anyone to read, since `/health` is open: no path, no secret, no words of a server. */
  words: string;
  /** What to do, as an imperative clause; left out: the words say it. */
  remedy?: string;
  /** For the operator alone, such as the answer of a server. */
  detail?: string | null;
  /** Where the detail is, for those to whom it is not shown, as a clause. */
  lookUp?: string;
}

/** Also the label of a metric. */
export const PROBLEM_KINDS = [
  'backup_failed',
  'backup_old',
  'backup_shrunk',
  'certificate_near_end',
  'certificate_not_loaded',
  'certificate_not_seen',
  'channel_late',
  'channel_refused',
  'disk_nearly_full',
  'drill_failed',
  'left_over',
  'mail_late',
  'mail_refused',
  'network_lost',
  'renewal_failed',
  'unreadable',
  'work_in_trouble',
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export const CHECK_STATUSES = ['ok', 'degraded', 'down'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

export interface Check {
  status: CheckStatus;
  /** As text, with the remedy; present when the status is not ok, else only to name what is kept on purpose. */
  reason?: string;
}

/** For anyone. Problems with the same remedy share it. */
export function asCheck(problems: readonly Problem[]): Check {
  const byRemedy = new Map<string, string[]>();
  for (const { words, remedy, lookUp } of problems) {
    const steps = [lookUp, remedy].filter(Boolean).join(', ');
    byRemedy.set(steps, [...(byRemedy.get(steps) ?? []), words]);
  }
  const reasons = [...byRemedy].map(([steps, words]) =>
    [[...new Set(words)].join('; '), steps].filter(Boolean).join(': '),
  );
  return reasons.length === 0 ? { status: 'ok' } : degraded(reasons.join('; '));
}

/** For the operator, at the terminal. */
export function forOperator({ words, detail, remedy }: Problem): string {
  const why = detail ? ` (${detail})` : '';
  return `${words}${why}${remedy === undefined ? '' : `: ${remedy}`}`;
}

export function degraded(reason: string): Check {
  return { status: 'degraded', reason };
}
