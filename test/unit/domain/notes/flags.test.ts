import { flagsOf, flagsOfHeading } from '../../../../src/domain/notes/flags';
import { NOTE_FLAGS } from '../../../../src/domain/notes/release-notes';

const flagged = (text: string): string[] => {
  const found = flagsOf([{ tag: 'v1', name: '', url: null, text, prerelease: false }]);
  return NOTE_FLAGS.filter((flag) => found.some((each) => each.flag === flag));
};

test.each([
  ['# Breaking Changes\n- a', ['breaking']],
  ['Breaking changes\n================\n- a', ['breaking']],
  ['**⚠️ BREAKING**\n\n- a', ['breaking']],
  ['- **BREAKING**: the key is renamed', ['breaking']],
  ['* feat(api)!: drop the old routes', ['breaking']],
  ['This is a backwards incompatible release.', ['breaking']],
  ['### Migration guide\nRun it.', ['migration']],
  ['## Upgrade notes\nRun it.', ['migration']],
  ['- A database migration runs at the first start.', ['migration']],
  ['You must migrate the data first.', ['migration']],
  ['## Security\n- CVE-2025-1234', ['security']],
  ['- Fixes GHSA-aaaa-bbbb-cccc', ['security']],
  ['- Security: sanitize names', ['security']],
  ['## 🔒 Security fixes & breaking changes\n- a', ['breaking', 'security']],
  ['<h2>Breaking changes</h2>\n', ['breaking']],
])('%j is marked', (text, flags) => expect(flagged(text)).toEqual(flags));

test.each([
  'There are no breaking changes.',
  '## No breaking changes\n- a',
  '- A non-breaking change of the API',
  '## Breaking changes\n\nNone.\n\n## Fixes\n- a',
  '## Security\n- N/A\n',
  '- migrated our tests to another runner',
  '- sets the header Content-Security-Policy',
  '```\n# Breaking changes\n```\nText',
  '- groundbreaking speed',
])('%j is not marked', (text) => expect(flagged(text)).toEqual([]));

test('each release names the words, once for each flag', () => {
  const release = {
    tag: 'v2',
    name: 'Two',
    url: null,
    text: '## Breaking changes\n- x\n\n**BREAKING** again',
    prerelease: false,
  };
  expect(flagsOf([release])).toEqual([{ flag: 'breaking', words: 'Breaking changes', tag: 'v2' }]);
  expect(flagsOf([{ ...release, name: 'Security release', text: '' }])).toEqual([
    { flag: 'security', words: 'Security release', tag: 'v2' },
  ]);
});

test('words are cut to a line', () => {
  const [found] = flagsOf([
    { tag: 'v1', name: '', url: null, text: `- BREAKING ${'x'.repeat(500)}`, prerelease: false },
  ]);
  expect(found?.words).toHaveLength(160);
});

test('a heading says it alone', () => {
  expect(flagsOfHeading('Breaking')).toEqual(['breaking']);
  expect(flagsOfHeading('Features')).toEqual([]);
});

test.each([
  ['spaces', ' '.repeat(64_000)],
  ['no', 'no '.repeat(21_000)],
  ['backwards', 'backwards '.repeat(6_000)],
  ['security', 'security '.repeat(7_000)],
  ['stars', '**'.repeat(32_000)],
  ['hashes', `# ${'# '.repeat(30_000)}x`],
  ['letters', `${'a'.repeat(64_000)}!`],
])('%s cost no time', (_, text) => {
  const started = performance.now();
  flagged(text);
  expect(performance.now() - started).toBeLessThan(5_000);
});
