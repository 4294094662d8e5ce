import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { runCli } from '../../src/cli/program';
import type { CliContext } from '../../src/cli/with-app';
import { DEFAULTS, SECRET_SETTINGS } from '../../src/config/schema';
import { PROBLEM_KINDS } from '../../src/diagnosis/problem';
import { KNOWN_LABELS } from '../../src/domain/labels/read-labels';
import { ROUTES } from '../support/routes';

// What the documents name is there, and what a reader looks up is in the documents. Errors, metrics, calls of the engine and
// `.env.example` have tests of their own.

const ROOT = join(__dirname, '..', '..');
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const DOCUMENTS = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)].filter((file) =>
  file.endsWith('.md'),
);

interface Place {
  file: string;
  text: string;
}

/** Inline code, and the lines of code blocks: what a reader copies. */
const CODE: readonly Place[] = DOCUMENTS.flatMap((file) => {
  const text = textOf(file);
  const blocks = [...text.matchAll(/^ *```\w*\n(.*?)^ *```/gms)].flatMap(([, block = '']) => block.split('\n'));
  const inline = [...text.replace(/^ *```.*?^ *```/gms, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...inline].map((line) => ({ file, text: line.replace(/(?:^|\s)#.*$/, '') }));
});

function found(pattern: RegExp): { file: string; name: string; rest: string }[] {
  return CODE.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map(([, name = '', rest = '']) => ({ file, name, rest })),
  );
}

async function helpOf(...args: string[]): Promise<string> {
  const written: string[] = [];
  const write = (text: string): boolean => written.push(text) > 0;
  const stream = { write } as unknown as NodeJS.WriteStream;
  await runCli([...args, '--help'], { stdout: stream, stderr: stream, version: '0' } as unknown as CliContext);
  return written.join('');
}

const commandsIn = (help: string): string[] =>
  [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');

describe('settings', () => {
  const known = [...Object.keys(DEFAULTS), ...SECRET_SETTINGS.map((name) => `${name}_FILE`)];

  test('every setting of diun-pilot that a document names is one', () => {
    const named = found(/\b(PILOT_[A-Z][A-Z_]*[A-Z])\b(?!_)/g);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ name }) => !known.includes(name))).toEqual([]);
  });

  test('every setting is in a document', () => {
    const all = DOCUMENTS.map(textOf).join('\n');
    expect(Object.keys(DEFAULTS).filter((name) => !new RegExp(`\\b${name}\\b`).test(all))).toEqual([]);
  });
});

describe('labels', () => {
  test('docs/labels.md has a row for each label, and no other', () => {
    const rows = [...textOf('docs/labels.md').matchAll(/^\| `((?:diun|update|backup|renewal)\.[a-z.-]+)` +\|/gm)];
    const labels = ['diun.enable', ...KNOWN_LABELS];
    expect(rows.map(([, label]) => label).sort()).toEqual([...labels].sort());
  });

  test('every label that a document names is one', () => {
    const named = found(/(?<![\w./@-])((?:update|backup|renewal)\.[a-z]+(?:[.-][a-z]+)*)(?![\w/(])/g);
    expect(named.length).toBeGreaterThan(50);
    // A field of an update in the API.
    expect(named.filter(({ name }) => !KNOWN_LABELS.includes(name) && name !== 'backup.url')).toEqual([]);
  });
});

describe('commands', () => {
  test('docs/cli.md has a row for each command, and no other', async () => {
    const rows = [...textOf('docs/cli.md').matchAll(/^\| (`[^|]*`) +\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(?:diun-pilot )?([a-z-]+)/g)].map(([, name = '']) => name),
    );
    expect([...new Set(rows)].sort()).toEqual(commandsIn(await helpOf()).sort());
  });

  test('every command and option that a document shows is one', async () => {
    // `exec diun-pilot PROGRAM` names the container.
    const shown = found(/(?:^|[\s"'=])(?<!\bexec (?:-\S+ )*)diun-pilot (?!diun-pilot )([a-z][a-z-]*)([^`|;&#]*)/g);
    expect(shown.length).toBeGreaterThan(50);
    const commands = commandsIn(await helpOf());
    const helps = new Map(await Promise.all(commands.map(async (name) => [name, await helpOf(name)] as const)));
    expect(shown.filter(({ name }) => !helps.has(name))).toEqual([]);
    const options = shown.flatMap(({ file, name, rest }) =>
      [...rest.matchAll(/(?<!\S)\[?(--[a-z][a-z-]*)/g)].map(([, option = '']) => ({ file, name, option })),
    );
    expect(options.length).toBeGreaterThan(5);
    expect(options.filter(({ name, option }) => helps.get(name)?.includes(option) === false)).toEqual([]);
  });
});

test('every route that a document names is one', () => {
  const named = found(/\b((?:GET|POST|PUT|DELETE) \/[^\s`"]*)/g);
  expect(named.length).toBeGreaterThan(5);
  const patterns = ROUTES.map(
    ({ method, template }) => new RegExp(`^${method} ${template.replace(/:[a-z]+/g, '[A-Za-z:…]+')}(?:\\?.*)?$`),
  );
  // Of Docker, and of Apprise.
  const others: readonly string[] = [...ENGINE_CALLS, 'POST /add/KEY'];
  const unknown = named.filter(({ name }) => !others.includes(name) && !patterns.some((pattern) => pattern.test(name)));
  expect(unknown).toEqual([]);
});

test('docs/api.md names each kind of problem', () => {
  const sentence = /The kinds are (.*?)\./s.exec(textOf('docs/api.md'))?.[1] ?? '';
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, kind]) => kind)).toEqual([...PROBLEM_KINDS]);
});

test('a comment cites a document of this repository, not one that its reader does not have', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(?:tsx?|sql|js)$/.test(file),
  );
  expect(sources.length).toBeGreaterThan(300);
  expect(sources.filter((file) => /\b[Cc]ontract, section/.test(textOf(`src/${file}`)))).toEqual([]);
});
