import { formatBetween } from '../../domain/format';
import { shellWord } from '../../domain/text/shell';
import type { Step, StepName } from '../../domain/update';
import type { MailKind } from '../rendered-mail';
import { oneLine } from './clean';

/**
 * The content of a mail, before it is HTML or text. Strings are raw: both renderers sanitise and escape every one,
 * so that no mail can forget it.
 */
export interface Letter {
  kind: MailKind;
  updateId: string | null;
  /** The subject of the mail: the container's name, or the backup set. */
  about: string;
  /** Follows `[diun-pilot] NAME: ` in the subject. */
  subject: string;
  verdict: { tone: Tone; word: string };
  heading: string;
  blocks: Block[];
  /** The page with the details; shown at the foot if it is http(s). */
  page: string;
  /** The page is the operator page, which may not be reachable from outside. */
  onOperatorPage?: boolean;
}

export type Tone = 'good' | 'notice' | 'attention' | 'alarm';

export type Block =
  | { type: 'heading'; text: string }
  | { type: 'paragraph'; text: string }
  /** The sentence that must not be missed. */
  | { type: 'important'; text: string }
  | { type: 'facts'; facts: Fact[] }
  | { type: 'list'; items: string[]; ordered?: boolean }
  | { type: 'steps'; steps: StepLine[] }
  /** To be copied into a shell. */
  | { type: 'commands'; lines: string[] }
  /** Output of a machine, as it was. */
  | { type: 'log'; lines: string[] }
  | { type: 'link'; label: string; url: string; button?: boolean };

/** A value of several lines has one entry for each. */
export interface Fact {
  label: string;
  value: string | string[];
}

export interface StepLine {
  title: string;
  result: 'succeeded' | 'failed' | 'skipped' | 'running';
  duration: string | null;
  detail: string | null;
}

/** A heading and the blocks that follow it; empty when no block follows. */
export function section(heading: string, ...blocks: (Block | null)[]): Block[] {
  const present = blocks.filter((block) => block !== null);
  return present.length === 0 ? [] : [{ type: 'heading', text: heading }, ...present];
}

export const paragraph = (text: string): Block => ({ type: 'paragraph', text });
export const important = (text: string): Block => ({ type: 'important', text });

/** Null when there is nothing to list. */
export function listBlock(items: string[], ordered = false): Block | null {
  return items.length === 0 ? null : { type: 'list', items, ordered };
}

/** Output under the line that announces it (`The last lines of its log:`), when its first line does. */
export function machineSaid(output: string[]): Block[] {
  const announced = output[0]?.endsWith(':') === true;
  const lines = announced ? output.slice(1) : output;
  return [
    ...(announced ? [paragraph(output[0] ?? '')] : []),
    ...(lines.length === 0 ? [] : [{ type: 'log' as const, lines }]),
  ];
}

/**
 * A command to be copied into a POSIX shell: every argument stays one argument and runs nothing, whatever a container
 * is called. `raw` is ours, and printed as it is.
 */
export function shellCommand(...words: (string | { raw: string })[]): string {
  return words.map((word) => (typeof word === 'string' ? shellWord(oneLine(word)) : word.raw)).join(' ');
}

const STEP_TITLES: Record<StepName, string> = {
  backup: 'Backup',
  pull: 'Pull',
  preflight: 'Preflight',
  move_data: 'Move the data directory',
  recreate: 'Recreate',
  rollout: 'Rollout',
  load_data: 'Load the databases',
  health_check: 'Health check',
  cleanup: 'Cleanup',
  rollback: 'Rollback',
  rollback_health_check: 'Health check of the rollback',
  restore: 'Restore',
  restore_health_check: 'Health check of the restore',
};

export function stepTitle(name: StepName): string {
  return STEP_TITLES[name];
}

export function stepDuration(step: Step): string | null {
  return formatBetween(step.startedAt, step.finishedAt);
}

/** When diun-pilot runs in a container, the host has no such command. */
export const IN_ITS_CONTAINER =
  'If diun-pilot runs in a container, run each diun-pilot command as "docker compose exec diun-pilot …" in the folder of its compose file.';

const WHERE_THE_PAGE_IS =
  'If this address opens another service, the operator page is only reachable from the server: run ssh -L 8080:localhost:8080 SERVER and open http://localhost:8080.';

/** At the foot of a mail: how to open its link and run its commands in the stack that the project ships. */
export function notesOf({ blocks, page, onOperatorPage }: Letter): string[] {
  return [
    ...(onOperatorPage === true && page !== '' ? [WHERE_THE_PAGE_IS] : []),
    ...(asksForPilot(blocks) ? [IN_ITS_CONTAINER] : []),
  ];
}

/** Whether a command is shown that may exist only in the service's own container. */
function asksForPilot(blocks: readonly Block[]): boolean {
  return blocks.some(
    (block) => block.type === 'commands' && block.lines.some((line) => line.startsWith('diun-pilot ')),
  );
}
