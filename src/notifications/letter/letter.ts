import type { MailKind } from '../rendered-mail';

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

/** Null when there is nothing to list. */
export function list(items: string[], ordered = false): Block | null {
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
