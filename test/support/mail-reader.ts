import { openDom } from './dom';
import type { RenderedMail } from '../../src/notifications/rendered-mail';

/** Asserts on both parts of a mail, HTML and text, each with its white space collapsed. Closes its DOM after all tests. */
export function mailReader() {
  const dom = openDom();
  afterAll(() => dom.close());
  const flat = (words: string): string => words.replace(/\n!! /g, ' ').replace(/\s+/g, ' ');

  async function parts({ html, text }: RenderedMail): Promise<[string, string][]> {
    return [
      ['html', flat((await dom.read(html)).text)],
      ['text', flat(text)],
    ];
  }

  async function bothSay(mail: RenderedMail, ...sentences: string[]): Promise<void> {
    for (const [part, words] of await parts(mail)) {
      for (const sentence of sentences) expect(`${part}: ${words}`).toContain(sentence);
    }
  }

  async function neitherSays(mail: RenderedMail, ...sentences: string[]): Promise<void> {
    for (const [, words] of await parts(mail)) for (const sentence of sentences) expect(words).not.toContain(sentence);
  }

  return { dom, parts, bothSay, neitherSays };
}
