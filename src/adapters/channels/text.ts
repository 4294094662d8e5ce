import type { ChannelNotice } from '../../domain/channel-notice';

/** Counted in code points, so that no character is cut in half; `most` is the service's own limit. */
export function cutTo(text: string, most: number): string {
  const points = [...text];
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}

/** The same, for a service that counts bytes of UTF-8. */
export function cutToBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const kept = Buffer.from(text)
    .subarray(0, most - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${kept}…`;
}

/** `Rolled back. gitea runs the old version …`, a paragraph each. */
export function plainBody({ verdict, text }: ChannelNotice): string {
  return [`${verdict}.`, ...text].join('\n\n');
}

/**
 * Markdown that shows every character as it is (CommonMark, 2.4: any ASCII punctuation can be escaped), and in which no name
 * mentions anybody: a zero-width space parts each `@`, and each `#` of a channel, from what follows.
 */
export function inMarkdown(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, (mark) => `\\${mark}`).replace(/\\([@#])/g, '\\$1\u200B');
}

/** The same, cut so that what was escaped still is within `most` UTF-16 units. */
export function markdownWithin(text: string, most: number): string {
  let points = [...text];
  let escaped = inMarkdown(text);
  while (escaped.length > most) {
    points = points.slice(0, Math.floor(points.length * 0.9));
    escaped = `${inMarkdown(points.join(''))}…`;
  }
  return escaped;
}

/** An address in a Markdown link's parentheses. */
export function addressInMarkdown(url: string): string {
  return url.replace(/[()<>\\\s]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
