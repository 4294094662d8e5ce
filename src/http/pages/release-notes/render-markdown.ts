import MarkdownIt from 'markdown-it';
import { flagsOfHeading } from '../../../domain/notes/flags';
import { oneLine, webUrl } from '../../../notifications/letter/clean';

type Token = MarkdownIt.Token;

/** Written by a stranger: no HTML of its own; a nesting that only costs time is cut. */
const markdown = new MarkdownIt({ html: false, linkify: true, maxNesting: 20 });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });

const REL = 'noopener noreferrer nofollow';
/** The tags that are written, without attributes but those given below. */
const TAGS = new Set('p ul ol li blockquote em strong s table thead tbody tr th td'.split(' '));
const HIGHEST = 3;
const LOWEST = 6;

/**
 * Markdown as HTML: only tags of a short list, `href` of http(s) links as the only attribute that the text decides, images as
 * links, everything else as text. Headings begin at `h3`, skip no level, and are marked where they name what an operator must know.
 */
export function renderMarkdown(text: string): string {
  return new Writer().write(markdown.parse(withoutComments(text), {}));
}

/** Many projects have their notes generated with a comment at the top. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let open = text.indexOf('<!--'); open >= 0; open = text.indexOf('<!--', from)) {
    const close = text.indexOf('-->', open + 4);
    if (close < 0) break;
    kept.push(text.slice(from, open));
    from = close + 3;
  }
  return [...kept, text.slice(from)].join('');
}

class Writer {
  readonly #html: string[] = [];
  /** Levels of the headings so far, as written and as shown. */
  #levels: { written: number; shown: number }[] = [];

  write(tokens: readonly Token[]): string {
    for (const [at, token] of tokens.entries()) this.#block(token, tokens[at + 1]);
    return this.#html.join('');
  }

  #block(token: Token, next: Token | undefined): void {
    const { type, tag, nesting, hidden, content, children } = token;
    if (hidden) return;
    if (type === 'inline') this.#html.push(inlineHtml(children ?? []));
    else if (type === 'heading_open') this.#html.push(this.#headingOpen(token, next?.content ?? ''));
    else if (type === 'heading_close') this.#html.push(`</h${this.#levels.at(-1)?.shown ?? HIGHEST}>\n`);
    else if (type === 'fence' || type === 'code_block')
      this.#html.push(`<pre tabindex="0"><code>${escaped(content)}</code></pre>\n`);
    else if (type === 'hr') this.#html.push('<hr>\n');
    else if (TAGS.has(tag) && nesting !== 0) this.#html.push(nesting === 1 ? `<${tag}>` : `</${tag}>\n`);
    else this.#html.push(escaped(content));
  }

  #headingOpen({ tag }: Token, text: string): string {
    const written = Number(tag.slice(1)) || 1;
    this.#levels = this.#levels.filter((above) => above.written < written);
    const shown = Math.min((this.#levels.at(-1)?.shown ?? HIGHEST - 1) + 1, LOWEST);
    this.#levels.push({ written, shown });
    const flags = flagsOfHeading(text);
    const marks = flags.map((flag) => `<span class="flag">${flag}</span> `).join('');
    return flags.length === 0 ? `<h${shown}>` : `<h${shown} class="flagged">${marks}`;
  }
}

function inlineHtml(tokens: readonly Token[]): string {
  let html = '';
  /** Whether each open link is written. */
  const links: boolean[] = [];
  for (const token of tokens) {
    const { type, tag, nesting, content } = token;
    if (type === 'link_open') {
      const href = links.includes(true) ? null : linkAddress(token, 'href');
      links.push(href !== null);
      if (href !== null) html += linkTo(href);
    } else if (type === 'link_close') html += links.pop() === true ? '</a>' : '';
    else if (type === 'image') html += imageHtml(token, links.includes(true));
    else if (type === 'code_inline') html += `<code>${escaped(content)}</code>`;
    else if (type === 'hardbreak') html += '<br>\n';
    else if (type === 'softbreak') html += '\n';
    else if (TAGS.has(tag) && nesting !== 0) html += nesting === 1 ? `<${tag}>` : `</${tag}>`;
    else html += escaped(content);
  }
  return html;
}

/** Nothing is loaded from elsewhere: the server of an image would see who decides, and when. */
function imageHtml(token: Token, inLink: boolean): string {
  const words = escaped(oneLine(token.content, 200) || 'image');
  const href = inLink ? null : linkAddress(token, 'src');
  return href === null ? words : `${linkTo(href)}${words}</a>`;
}

function linkAddress(token: Token, attribute: string): string | null {
  const address = token.attrGet(attribute);
  return typeof address === 'string' ? webUrl(address) : null;
}

function linkTo(href: string): string {
  return `<a href="${escaped(href)}" rel="${REL}">`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? '');
}
