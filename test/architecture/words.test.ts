import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ALLOWED, BANNED, bannedIn, NOT_YET_CLEAN } from './words';

const ROOT = join(__dirname, '..', '..');
/** They quote the words to say what to write instead. */
const QUOTING = ['docs/writing.md', 'docs/glossary.md'];
const READ = [/\.md$/, /^src\//, /^\.env\.example$/, /^(?:docker-)?compose[^/]*\.ya?ml$/, /^nginx\//, /^diun\//];
/** A migration that has run is never edited. */
const FROZEN = /^src\/adapters\/sqlite\/migrations\//;

function filesOf(): string[] {
  return execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter((file) => READ.some((pattern) => pattern.test(file)))
    .filter((file) => !QUOTING.includes(file) && !FROZEN.test(file));
}

/** The history of released versions stays as it was published. */
function textOf(file: string): string {
  const text = readFileSync(join(ROOT, file), 'utf8');
  if (file !== 'CHANGELOG.md') return text;
  const newest = text.indexOf('\n## ');
  const next = text.indexOf('\n## ', newest + 1);
  return next === -1 ? text : text.slice(0, next);
}

const places = filesOf().flatMap((file) =>
  [...bannedIn(textOf(file)), ...bannedIn(file)].map((finding) => ({ file, ...finding })),
);
const allowed = (place: { file: string; phrase: string }): boolean =>
  ALLOWED.some(({ file, phrase }) => file === place.file && phrase === place.phrase);
const notYetClean = ({ file }: { file: string }): boolean =>
  NOT_YET_CLEAN.includes(file) || NOT_YET_CLEAN.includes(dirname(file));

test('documents, mails, pages, errors, comments and names use plain terms', () => {
  const wrong = places.filter((place) => !allowed(place) && !notYetClean(place));
  expect(wrong.map(({ file, line, phrase, instead }) => `${file}:${line}: "${phrase}" → ${instead}`)).toEqual([]);
});

test('the list of folders that are not yet clean only shrinks', () => {
  const dirty = new Set(places.filter((place) => !allowed(place)).flatMap(({ file }) => [file, dirname(file)]));
  expect(NOT_YET_CLEAN.filter((entry) => !dirty.has(entry))).toEqual([]);
});

test('every exception is still needed and has a reason', () => {
  const needed = ({ file, phrase }: { file: string; phrase: string }): boolean =>
    places.some((place) => place.file === file && place.phrase === phrase);
  expect(ALLOWED.filter((entry) => !needed(entry) || entry.reason.length < 20)).toEqual([]);
});

describe('a banned word is found', () => {
  const found = (text: string): string[] => bannedIn(text).map(({ phrase }) => phrase);

  test.each([
    ['in prose, at any case', 'Told twice', ['told']],
    ['in a camelCase name', 'const wasTold = illBefore;', ['told', 'ill']],
    ['as the first part of a name', 'function inWordsOf() {}', ['in words']],
    ['in the name of a file', 'src/domain/set-' + 'aside.ts', ['set aside']],
    ['in a constant', 'MEND_LATER', ['mend']],
    ['over two lines of a comment', ' * it runs by\n * itself', ['by itself']],
    ['over two joined strings', "'this is ' +\n  'no setting'", ['is no']],
  ])('%s', (_, text, phrases) => {
    expect(found(text)).toEqual(phrases);
  });

  test.each(['recommended', 'I’ll', 'still', 'relies', 'there is no backup', 'it is no longer there', 'the header'])(
    'not in "%s"',
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );

  test('and every word has a replacement', () => {
    expect(BANNED.filter(([, instead]) => instead === '')).toEqual([]);
  });
});
