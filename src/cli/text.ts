import { codeAsText, formatBytes, formatMinute } from '../domain/format';
import type { Step, Update, UpdateStatus } from '../domain/update';
import { printableJson, printableLine } from '../lib/printable';
import { stepTitle } from '../notifications/letter/letter';

/** Words of others (labels, registries, engines) as one line for a terminal. */
export const oneLine = printableLine;

/** A document for programs; on a terminal its strings must not deceive either. */
export function asJson(value: unknown, indent = 2): string {
  return `${printableJson(JSON.stringify(value, null, indent))}\n`;
}

export function table(header: string[], rows: string[][]): string {
  return inColumns([header, ...rows]);
}

/** Columns as wide as their widest cell, two blanks between them. */
export function inColumns(rows: string[][]): string {
  const lines = rows.map((cells) => cells.map(oneLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `2026-01-05 04:00` in the operator's time zone. */
export function atTime(iso: string | null, timeZone: string): string {
  return iso === null ? '–' : formatMinute(iso, timeZone);
}

export function inBytes(bytes: number | null): string {
  return bytes === null ? '–' : formatBytes(bytes);
}

/** What changed between two looks at an update: a line for each step that began or ended, in order. */
export function newsOf(before: Update | null, now: Update): { kind: 'began' | 'ended'; words: string }[] {
  const known = new Map(before?.steps.map((step) => [step.name, step.status]));
  return now.steps
    .filter((step) => known.get(step.name) !== step.status)
    .map((step) =>
      step.status === 'running'
        ? { kind: 'began', words: `${stepTitle(step.name)} …` }
        : { kind: 'ended', words: `${stepTitle(step.name)}: ${step.status}${detailOf(step)}` },
    );
}

/** What is happening at this moment, for the live line; null: nothing runs. */
export function progressOf(update: Update): string | null {
  if (update.status === 'queued') return whyQueued(update);
  const running = update.steps.find(({ status }) => status === 'running');
  return running === undefined
    ? null
    : `${stepTitle(running.name)} …${running.detail === null ? '' : ` ${running.detail}`}`;
}

/** Of what holds it up only the words on the wait: the line is short, and the decision was shown before. */
function whyQueued({ hold, reason }: Update): string {
  return hold === null ? 'waiting until nothing else runs …' : reason.slice(hold.reason.length).trim();
}

const VERDICTS: Partial<Record<UpdateStatus, string>> = {
  rolled_back: 'Failed',
  rollback_failed: 'Action required',
};

/** Their reason says it. */
const SAID_BY_REASON: readonly UpdateStatus[] = ['ignored', 'awaiting_approval'];

/** The verdict in the words of page, mail and API (`updates/reason-of-end`), with its cause and with what is left to do. */
export function verdictOf({ status, reason, error, followUp }: Update): string[] {
  const cause = error === null || reason.includes(error.message) ? [] : [`Reason: ${error.message}`];
  return [
    SAID_BY_REASON.includes(status) ? reason : `${VERDICTS[status] ?? codeAsText(status)}: ${reason}`,
    ...cause,
    ...(followUp !== null && status === 'succeeded' ? [followUp] : []),
  ];
}

/**
 * Success means that the container runs the requested version: also `ignored`, since a refused request is an error,
 * and an ignored one is already running.
 */
export function isSuccess(update: Update): boolean {
  return update.status === 'succeeded' || update.status === 'ignored';
}

function detailOf(step: Step): string {
  return step.detail === null ? '' : `, ${step.detail}`;
}
