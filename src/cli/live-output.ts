import type { Output } from './context';
import { oneLine } from './text';

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
