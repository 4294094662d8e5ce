import { flagsOf } from '../../../src/domain/notes/flags';
import { readSource } from '../../../src/domain/notes/source';
import { releasesOfChangelog } from '../../../src/domain/notes/versions';
import { renderMarkdown } from '../../../src/http/pages/release-notes/render-markdown';
import { printableLines } from '../../../src/lib/printable';
import { promise, type Parser } from './parser';

/** Release notes, as strangers write them. */
export const NOTES: readonly Parser[] = [
  {
    name: 'Markdown',
    seeds: [
      '# A\n\n[x](https://a.b "t") ![p](http://c/d.png) `e` **f** <b>g</b>\n\n| h | i |\n|--|--|\n| j | k |\n',
      '- a\n  1. b\n     > c\n\n```sh\nd\n```\n',
    ],
    pieces: [
      '[',
      ']',
      '(',
      ')',
      '<',
      '>',
      '`',
      '*',
      '_',
      '~',
      '#',
      '|',
      '\n',
      '    ',
      '&',
      ';',
      '!',
      'javascript:',
      '<script>',
      'data:',
      '&#x6a;',
      '[x]: ',
      '^',
      '\\',
      'https://a.b/',
      '<!--',
    ],
    parse: (input) => {
      const html = renderMarkdown(input);
      const other = [...html.matchAll(/<\/?([^\s>/]+)/g)].map(([, name]) => name ?? '').find((name) => !TAGS.has(name));
      promise(other === undefined, `it renders the element ${other}`);
      promise(!/<[^>]*\son\w+=/i.test(html), 'it renders a handler');
      const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href ?? '');
      promise(
        links.every((href) => /^(?:https?:|mailto:)/i.test(href)),
        `a link leads to ${links.join(' ')}`,
      );
    },
  },
  {
    name: 'changelogs and notes',
    seeds: [
      '## [1.2.0] - 2024-01-01\n### Breaking\n- a **BREAKING** b\n## 1.1.0\n- CVE-2024-1\n',
      '# v1\n\nmigration needed\n',
    ],
    pieces: [
      '## ',
      '# ',
      '[',
      ']',
      '(',
      ')',
      '-',
      '1.2.3',
      'v',
      '\n',
      'breaking',
      'security',
      'migration',
      'https://github.com/',
      'a/b',
      '/releases',
    ],
    parse: (input) => [flagsOf(releasesOfChangelog(input, 'https://a.b/c')), printableLines(input)],
  },
  {
    // A label of the image: what throws here would stop every event.
    name: 'the source of release notes',
    seeds: [
      'https://github.com/go-gitea/gitea.git',
      'https://gitlab.com/api/v4/projects/%2F%3A',
      'https://github.com/.git/:',
      'https://github.com/.git/evil.example',
    ],
    pieces: [
      'https://github.com/',
      'https://gitlab.com/',
      'https://codeberg.org',
      '/api/v4/projects/',
      'a',
      '/',
      '//',
      '.git',
      '.',
      '%2F',
      '%',
      ':',
      '@',
      '\\',
      '?',
      '#',
      'evil.example',
    ],
    parse: (input) => {
      const source = readSource(input);
      if (source === null || !/^https?:/i.test(input.trim())) return;
      const asked = new URL(input.trim());
      promise(
        new URL(source.url).host === asked.host.replace(/^www\.(?=github\.com$)/, ''),
        `it leads to ${source.url}`,
      );
    },
  },
];

const TAGS = new Set(
  'p a em strong code pre ul ol li blockquote h1 h2 h3 h4 h5 h6 hr br table thead tbody tr th td s del div span'.split(
    ' ',
  ),
);
