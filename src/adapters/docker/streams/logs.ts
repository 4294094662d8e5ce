import type { IncomingMessage } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { BOUNDS } from '../../../domain/bounds';
import { timedOut } from '../engine-errors';
import { Capture } from './capture';
import { demux } from './demux';

const LINE_CHARACTERS = 2000;

/** Lines of a container's log in order, fit for a mail: no control characters, none longer than 2,000 characters. */
export async function readLines(answer: IncomingMessage, tty: boolean, lines: number): Promise<string[]> {
  const all = (await endOf(answer, tty)).split('\n');
  const clean = all.map((line) => printable(line).slice(0, LINE_CHARACTERS));
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

function printable(line: string): string {
  // eslint-disable-next-line no-control-regex
  return stripVTControlCharacters(line).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
