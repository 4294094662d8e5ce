import type { ProbeSpec } from './container-labels';

/** Reads the label `update.probe` (docs/labels.md), or returns the problem as text. */
export function readProbe(text: string): ProbeSpec | { problem: string } {
  if (text === 'nginx' || text === 'postgres' || text === 'gitea') return { kind: text };
  if (text.startsWith('exec:')) return readExec(text.slice('exec:'.length));
  if (text.startsWith('tcp:')) return readTcp(text);
  if (text.startsWith('http:')) return readHttp(text);
  return { problem: 'must be nginx, postgres, gitea, http://:PORT/PATH, tcp://:PORT or exec:CMD ARG…' };
}

function readExec(line: string): ProbeSpec | { problem: string } {
  const command = splitCommand(line);
  if (command === null) return { problem: 'the command after exec: has a quote that is not closed' };
  if (command.length === 0 || command[0] === '') return { problem: 'no command follows exec:' };
  return { kind: 'exec', command };
}

function readTcp(text: string): ProbeSpec | { problem: string } {
  const port = portOf(/^tcp:\/\/:(\d{1,5})$/.exec(text)?.[1]);
  return port === null ? { problem: 'must look like tcp://:5432, without a host' } : { kind: 'tcp', port };
}

function readHttp(text: string): ProbeSpec | { problem: string } {
  const [, digits, path] = /^http:\/\/:(\d{1,5})(\/[\x21-\x7e]*)?$/.exec(text) ?? [];
  const port = portOf(digits);
  if (port === null)
    return { problem: 'must look like http://:8080/healthz, without a host: the container itself is asked' };
  return { kind: 'http', port, path: path ?? '/' };
}

function portOf(digits: string | undefined): number | null {
  const port = Number(digits ?? 0);
  return port >= 1 && port <= 65535 ? port : null;
}

/**
 * Splits a command line into its words, with quotes as in a shell: `'…'` literally, `"…"` and bare words with `\` before
 * the next character. Nothing is expanded. Null when a quote is not closed or nothing follows the last `\`.
 */
export function splitCommand(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const letter = line.charAt(at);
    if (letter === '\\' && quote !== "'") {
      at += 1;
      if (at === line.length) return null;
      word = (word ?? '') + line.charAt(at);
    } else if (quote === null ? letter === '"' || letter === "'" : letter === quote) {
      quote = quote === null ? letter : null;
      word ??= '';
    } else if (quote === null && /\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + letter;
    }
  }
  if (quote !== null) return null;
  return word === null ? words : [...words, word];
}
