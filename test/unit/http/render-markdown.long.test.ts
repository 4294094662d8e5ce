import fc from 'fast-check';
import { renderMarkdown } from '../../../src/http/pages/release-notes/render-markdown';
import { openDom, type Dom } from '../../support/dom';

// The text of release notes is written by strangers. What reaches the page is held against a list, for any text.
const TAGS = new Set(
  'html head body h3 h4 h5 h6 p ul ol li blockquote em strong s table thead tbody tr th td pre code hr br a span'.split(
    ' ',
  ),
);
const MARKS = new Set([
  'a rel=noopener noreferrer nofollow',
  'pre tabindex=0',
  'span class=flag',
  ...['h3', 'h4', 'h5', 'h6'].map((tag) => `${tag} class=flagged`),
]);

let dom: Dom;
beforeAll(() => (dom = openDom()));
afterAll(() => dom.close());

/** What is not allowed in rendered notes. */
async function faultsIn(html: string): Promise<string[]> {
  const { marks, links } = await dom.read(`<!doctype html><html><head></head><body>${html}</body></html>`);
  return [
    ...marks.filter((mark) => !TAGS.has(mark) && !MARKS.has(mark)),
    ...links.filter((link) => !/^https?:\/\/[^/@]+(?:\/|$)/.test(link)),
  ];
}

const PIECES = [
  ...[
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">',
    '<!--',
    '-->',
    '<b',
  ],
  ...[
    '[x](javascript:alert(1))',
    '[x](data:text/html,<b>)',
    '[x](//evil.example/a)',
    '[x](/relative)',
    '[x](https://u:p@evil.example)',
  ],
  ...[
    '![i](https://example.org/a.png)',
    '![i](javascript:x)',
    '[![b](https://e.org/b.svg)](https://e.org/c)',
    '[r]: javascript:x',
    '[r]',
  ],
  ...[
    '[x](https://example.org/"onmouseover="alert(1))',
    '[x](<https://e.org/a b> "t\'itle")',
    '<https://example.org/?a=1&b=2>',
    'https://example.org',
  ],
  ...[
    '# ',
    '## Breaking changes',
    '- ',
    '> ',
    '| a | b |\n|:--|--:|\n| c | d |',
    '```html onload=x\n',
    '    code',
    '`',
    '**',
    '_',
    '~~',
    '---',
    '\n',
    '\n\n',
  ],
  ...[
    '&lt;script&gt;',
    '&#106;avascript:',
    '\\<',
    '"',
    "'",
    '1. ',
    'text',
    '\u202e',
    'vbscript:x',
    'JaVaScRiPt:alert(1)',
    '[x](\tjavascript:x)',
  ],
];
const hostile = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 12 })), { maxLength: 40 });

test('no text leads to another tag, attribute or address than those of the list', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (pieces) => {
      expect(await faultsIn(renderMarkdown(pieces.join('')))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test('the check finds what is not allowed', async () => {
  const html = '<p onclick="x">a</p><script></script><a href="javascript:x" rel="noopener noreferrer nofollow">b</a>';
  expect(await faultsIn(html)).toHaveLength(3);
});

test('HTML is shown as text', () => {
  expect(renderMarkdown('<script>alert(1)</script>')).toBe('<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n');
});

test('links are http(s) without credentials; others are text', () => {
  expect(renderMarkdown('[a](https://example.org/x) [b](javascript:alert(1)) [c](/rel)')).toBe(
    '<p><a href="https://example.org/x" rel="noopener noreferrer nofollow">a</a> [b](javascript:alert(1)) c</p>\n',
  );
});

test('images are links, and inside a link text', () => {
  expect(renderMarkdown('![shot](https://example.org/a.png)')).toContain(
    '<a href="https://example.org/a.png" rel="noopener noreferrer nofollow">shot</a>',
  );
  expect(renderMarkdown('[![badge](https://e.org/b.svg)](https://e.org/c)')).toBe(
    '<p><a href="https://e.org/c" rel="noopener noreferrer nofollow">badge</a></p>\n',
  );
});

test('headings begin at the third level, skip none, and are marked', () => {
  const html = renderMarkdown('# One\n### Breaking changes\n## Fixes\n');
  expect(html).toBe(
    '<h3>One</h3>\n<h4 class="flagged"><span class="flag">breaking</span> Breaking changes</h4>\n<h4>Fixes</h4>\n',
  );
});

test('a comment of the generator is left out', () => {
  expect(renderMarkdown('<!-- generated -->\nText')).toBe('<p>Text</p>\n');
});

test.each([
  ['comments that never end', '<!--'.repeat(16_000)],
  ['brackets', '['.repeat(64_000)],
  ['links that never end', '[a]('.repeat(16_000)],
  ['stars', '*a **b '.repeat(9_000)],
  ['backticks', '`'.repeat(3).concat(' ').repeat(16_000)],
  ['quotes', '>'.repeat(64_000)],
  ['lists', Array.from({ length: 2_000 }, (_, at) => `${' '.repeat(at % 60)}- a`).join('\n')],
  ['addresses', 'http://'.repeat(9_000)],
  ['tables', `${'|a'.repeat(500)}\n${'|-'.repeat(500)}\n${`${'|b'.repeat(500)}\n`.repeat(60)}`],
])('%s cost no time that a reader notices', (_, text) => {
  const started = performance.now();
  renderMarkdown(text);
  expect(performance.now() - started).toBeLessThan(10_000);
});
