import { formatBytes, formatMinute, shortDigest } from '../domain/format';
import type { Step, Update } from '../domain/update';
import { printableJson, printableLine } from '../lib/printable';

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
        ? { kind: 'began', words: `${titleOf(step)} …` }
        : { kind: 'ended', words: `${titleOf(step)}: ${step.status}${detailOf(step)}` },
    );
}

/** What is happening at this moment, for the live line; null: nothing runs. */
export function progressOf(update: Update): string | null {
  if (update.status === 'queued') return 'waiting for its turn …';
  const running = update.steps.find(({ status }) => status === 'running');
  return running === undefined ? null : `${titleOf(running)} …${running.detail === null ? '' : ` ${running.detail}`}`;
}

/** The verdict as text: what is running now, and what to do. */
export function verdictOf(update: Update): string[] {
  const name = update.container ?? 'this container';
  const why = update.error?.message ?? update.reason;
  const followUp = update.followUp === null || update.status !== 'succeeded' ? [] : [update.followUp];
  return [sentence(update, name, why), ...followUp];
}

function sentence(update: Update, name: string, why: string): string {
  const target = `${update.to.reference} (${shortDigest(update.to.digest)})`;
  switch (update.status) {
    case 'succeeded':
      return `Succeeded: ${name} runs ${target} and is healthy.`;
    case 'failed':
      return `Failed, and nothing was changed: ${why}`;
    case 'rolled_back':
      return `Rolled back: ${hasLoaded(update) ? update.reason : `the old container of ${name} is running again and was checked.`} Reason: ${why}`;
    case 'rollback_failed':
      if (update.error?.code === 'data_changed') return update.reason;
      return `${name} needs you now: the update failed, and the old container does not serve either. ${why}`;
    case 'ignored':
      return `Nothing to do: ${update.reason}`;
    case 'awaiting_approval':
      return `Waits for approval: ${update.reason}`;
    case 'declined':
    case 'expired':
    case 'superseded':
    case 'queued':
    case 'running':
      return `${update.status}: ${update.reason}`;
  }
}

/** Of a new PostgreSQL major: the reason says what the old data directory lacks. */
function hasLoaded({ steps }: Update): boolean {
  return steps.some(({ name }) => name === 'load_data');
}

/**
 * Success means that the container runs the requested version: also `ignored`, since a refused request is an error,
 * and an ignored one is already running.
 */
export function isSuccess(update: Update): boolean {
  return update.status === 'succeeded' || update.status === 'ignored';
}

function titleOf(step: Step): string {
  return step.name.replaceAll('_', ' ');
}

function detailOf(step: Step): string {
  return step.detail === null ? '' : `, ${step.detail}`;
}
