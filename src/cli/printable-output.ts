import { printableLines } from '../lib/printable';
import type { CliContext, Output } from './context';

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
  const blanks = /[ ]*$/.exec(text.slice(-80))?.[0] ?? '';
  return lines.join('\n') + blanks;
}
