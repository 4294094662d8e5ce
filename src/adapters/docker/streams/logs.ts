import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { demux } from './demux';

const LINE_CHARACTERS = 2000;
const BYTES = 1024 * 1024;

/** Lines of a container's log in order, fit for a mail: no control characters, none longer than 2,000 characters. */
export async function readLines(answer: IncomingMessage, tty: boolean, lines: number): Promise<string[]> {
  const content = tty ? await buffer(answer) : await bothStreams(answer);
  const all = content.subarray(-BYTES).toString().split('\n');
  const clean = all.map((line) => printable(line).slice(0, LINE_CHARACTERS));
  if (clean.at(-1) === '') clean.pop();
  return clean.slice(-lines);
}

async function bothStreams(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  const keep = (part: Buffer): boolean => parts.push(part) > 0;
  await demux(answer, { stdout: keep, stderr: keep });
  return Buffer.concat(parts);
}

function printable(line: string): string {
  // eslint-disable-next-line no-control-regex
  return stripVTControlCharacters(line).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
