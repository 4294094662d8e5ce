import type { IncomingMessage } from 'node:http';
import { BOUNDS } from '../../../domain/bounds';
import { printableLines } from '../../../lib/printable';
import { timedOut } from '../engine-errors';
import { Capture } from './capture';
import { demux } from './demux';

const LINE_CHARACTERS = 2000;

/** Lines of a container's log in order, fit for a mail: no control characters, none longer than 2,000 characters. */
export async function readLines(answer: IncomingMessage, tty: boolean, lines: number): Promise<string[]> {
  const all = (await endOf(answer, tty)).split('\n');
  const clean = all.map((line) => printableLines(line).join(' ').slice(0, LINE_CHARACTERS));
  if (clean.at(-1) === '') clean.pop();
  return clean.slice(-lines);
}

async function endOf(answer: IncomingMessage, tty: boolean): Promise<string> {
  const { bytes, ms } = BOUNDS.containerLog;
  const kept = new Capture(bytes);
  const late = setTimeout(() => answer.destroy(timedOut(ms / 1000)), ms);
  try {
    if (tty) for await (const part of answer) kept.take(part as Buffer);
    else await demux(answer, { stdout: (part) => (kept.take(part), true), stderr: (part) => kept.take(part) });
    return kept.toString();
  } finally {
    clearTimeout(late);
  }
}
