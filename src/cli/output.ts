import type { App } from '../app';
import { printableLines } from '../lib/printable';
import type { CliContext, Output } from './with-app';
import { oneLine } from './text';

const LOOK_EVERY_MS = 200;
/** The service that did the work may have gone: then this process takes it over. */
const TAKE_OVER_EVERY_MS = 5_000;

export interface Followed<T> {
  look(): T;
  isOver(now: T): boolean;
  /** Called when what was seen differs from before; `before` is null at first. */
  changed(before: T | null, now: T): void;
}

/**
 * Does the queued work in this process, or watches the service do it, until it is over. Rejects with the signal's
 * reason when aborted: what runs in this process is then finished or left to recovery by `app.close()`.
 */
export async function follow<T>(app: App, followed: Followed<T>, signal: AbortSignal): Promise<T> {
  let working = await app.startWorker();
  let tried = app.clock.now().getTime();
  let seen: string | null = null;
  let before: T | null = null;
  for (;;) {
    const now = followed.look();
    const asText = JSON.stringify(now);
    if (asText !== seen) followed.changed(before, now);
    if (followed.isOver(now)) return now;
    [seen, before] = [asText, now];
    await app.clock.sleep(LOOK_EVERY_MS, signal);
    if (!working && app.clock.now().getTime() - tried >= TAKE_OVER_EVERY_MS) {
      working = await app.startWorker();
      tried = app.clock.now().getTime();
    }
  }
}

/** Lines that stay, and on a terminal one line below them that is written over. */
export interface LiveOutput {
  line(text: string): void;
  /** That something began: a line where there is no live one to tell it. */
  started(text: string): void;
  /** Shown on a terminal only, until the next line or progress. */
  progress(text: string): void;
}

export function liveOutput(output: Output): LiveOutput {
  const line = (text: string): void => {
    if (output.isTTY) output.rewriteLine?.();
    output.write(`${oneLine(text)}\n`);
  };
  return {
    line,
    started: output.isTTY ? () => undefined : line,
    progress: (text) => {
      // A line that wraps could not be written over.
      if (!output.isTTY) return;
      output.rewriteLine?.();
      output.write(oneLine(text).slice(0, (output.columns ?? 80) - 1));
    },
  };
}

/** With `--json` nothing but the document is on standard output. */
export const silentOutput: LiveOutput = { line: () => undefined, started: () => undefined, progress: () => undefined };

const CLEAR_LINE = '\r\u001b[K';

/**
 * A context that prints nothing but printable text, whatever a command hands it: names, reasons and errors of strangers must not
 * move the cursor of a terminal or turn its text around. The one control sequence of our own is `rewriteLine`.
 */
export function printableContext(context: CliContext): CliContext {
  const { ask } = context;
  return {
    ...context,
    stdout: printable(context.stdout),
    stderr: printable(context.stderr),
    ask: ask && ((question) => ask(printableText(question))),
  };
}

function printable(output: Output): Output {
  return {
    isTTY: output.isTTY ?? false,
    columns: output.columns ?? 80,
    write: (text) => output.write(printableText(text)),
    rewriteLine: () => output.write(CLEAR_LINE),
  };
}

/** Blanks at the end of a line are part of a question. */
function printableText(text: string): string {
  const lines = printableLines(text);
  const blanks = /(?<! ) *$/.exec(text.slice(-80))?.[0] ?? '';
  return lines.join('\n') + blanks;
}
