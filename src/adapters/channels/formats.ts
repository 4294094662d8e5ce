import { Webhook } from 'standardwebhooks';
import type { ChannelNotice, NoticePriority } from '../../domain/channel-notice';
import type { ChannelCall } from './http-call';

/** A notice with what makes it recognisable when it is sent again. */
export type SentNotice = { id: string; at: string } & ChannelNotice;

/** `url`: the address to call, http(s), which may hold a user, a password or a token. */
export type Format = (url: URL, notice: SentNotice) => ChannelCall;

const JSON_TYPE = { 'Content-Type': 'application/json' };
const TAGS: Record<NoticePriority, string> = {
  5: 'rotating_light',
  4: 'warning',
  3: 'information_source',
  2: 'white_check_mark',
};
const COLOURS: Record<NoticePriority, number> = { 5: 0xc62828, 4: 0xef6c00, 3: 0x1565c0, 2: 0x2e7d32 };

/** In bytes: the server takes a message of exactly its limit, 4,096, for an attachment. */
const LONGEST_OF_NTFY = 4000;

/** Published as JSON to the root of the server (docs.ntfy.sh/publish): a longer message would become an attachment. */
export const ntfy: Format = (url, notice) => {
  const topic = url.pathname.slice(1);
  return {
    url: new URL('/', withoutLogin(url)).href,
    headers: { ...JSON_TYPE, ...loginOf(url) },
    body: JSON.stringify({
      topic,
      title: cutToBytes(notice.title, 250),
      message: cutToBytes(plainBody(notice), LONGEST_OF_NTFY),
      priority: notice.priority,
      tags: [TAGS[notice.priority], notice.topic],
      ...(notice.link === null ? {} : { click: notice.link.url }),
    }),
  };
};

/** Signed as Standard Webhooks asks (standardwebhooks.com): the receiver recognises what is sent again by `webhook-id`. */
export function standardWebhook(secret: string, now: () => Date): Format {
  const signer = new Webhook(secret);
  return (url, notice) => {
    const { id, at, kind, topic, title, verdict, priority, text, link } = notice;
    const data = { topic, title, verdict, priority, text: text.join('\n\n'), link };
    const body = JSON.stringify({ type: kind, timestamp: at, data });
    const sentAt = now();
    const signed = {
      'webhook-id': id,
      'webhook-timestamp': `${Math.floor(sentAt.getTime() / 1000)}`,
      'webhook-signature': signer.sign(id, sentAt, body),
    };
    return { url: withoutLogin(url).href, headers: { ...JSON_TYPE, ...loginOf(url), ...signed }, body };
  };
}

/**
 * Stateful notification of the Apprise API (github.com/caronc/apprise-api); the services behind it cut what is too long. It hands
 * a text to Discord or Mattermost as it is: there a mention or a link would act.
 */
export const apprise: Format = (url, notice) => ({
  url: withoutLogin(url).href,
  headers: { ...JSON_TYPE, ...loginOf(url) },
  body: JSON.stringify({
    title: inert(notice.title),
    body: [
      inert(plainBody(notice)),
      ...(notice.link === null ? [] : [`${inert(notice.link.label)}: ${notice.link.url}`]),
    ].join('\n\n'),
    type: ({ 5: 'failure', 4: 'warning', 3: 'info', 2: 'success' } as const)[notice.priority],
    format: 'text',
  }),
});

/** An incoming webhook. Plain text objects are shown as they are; the fallback and the link are mrkdwn, escaped (docs.slack.dev). */
export const slack: Format = (url, notice) => {
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: cutTo(notice.title, 150), emoji: false } },
    { type: 'section', text: { type: 'plain_text', text: cutTo(plainBody(notice), 3000), emoji: false } },
    ...(notice.link === null
      ? []
      : [
          {
            type: 'section',
            text: { type: 'mrkdwn', text: `<${slackAddress(notice.link.url)}|${slackText(notice.link.label)}>` },
          },
        ]),
  ];
  const body = JSON.stringify({
    text: slackText(cutTo(notice.title, 150)),
    blocks,
    unfurl_links: false,
    unfurl_media: false,
  });
  return { url: url.href, headers: JSON_TYPE, body };
};

/** `wait`: Discord reports whether it took the message. No mention is resolved, whatever the text holds (discord.com/developers). */
export const discord: Format = (url, notice) => {
  const address = new URL(url);
  address.searchParams.set('wait', 'true');
  const link = markdownLink(notice);
  const embed = {
    title: markdownWithin(notice.title, 256),
    description: `${markdownWithin(plainBody(notice), 4096 - link.length)}${link}`,
    color: COLOURS[notice.priority],
  };
  return {
    url: address.href,
    headers: JSON_TYPE,
    body: JSON.stringify({ embeds: [embed], allowed_mentions: { parse: [] } }),
  };
};

/** An incoming webhook of Mattermost: a post of 4,000 characters at most is taken by every version (developers.mattermost.com). */
export const mattermost: Format = (url, notice) => {
  const link = markdownLink(notice);
  const title = `**${markdownWithin(notice.title, 500)}**\n\n`;
  const text = `${title}${markdownWithin(plainBody(notice), 4000 - title.length - link.length)}${link}`;
  return { url: url.href, headers: JSON_TYPE, body: JSON.stringify({ text }) };
};

function markdownLink({ link }: ChannelNotice): string {
  return link === null ? '' : `\n\n[${inMarkdown(link.label)}](${addressInMarkdown(link.url)})`;
}

function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A `|` would begin the label. */
function slackAddress(url: string): string {
  return slackText(url).replaceAll('|', '%7C');
}

function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** A password alone is an access token (`ntfys://:tk_…@host/topic`). */
function loginOf(url: URL): Record<string, string> {
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (user === '' && password === '') return {};
  if (user === '') return { Authorization: `Bearer ${password}` };
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** Counted in UTF-16 units, the strictest way to count, but no character is cut in half; `most` is the service's own limit. */
function cutTo(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The same, for a service that counts bytes of UTF-8. */
function cutToBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const kept = Buffer.from(text)
    .subarray(0, most - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${kept}…`;
}

/** `Rolled back. gitea runs the old version …`, a paragraph each. */
function plainBody({ verdict, text }: ChannelNotice): string {
  return [`${verdict}.`, ...text].join('\n\n');
}

/**
 * Markdown that shows every character as it is (CommonMark, 2.4: any ASCII punctuation can be escaped), and in which no name
 * mentions anybody: a zero-width space parts each `@`, and each `#` of a channel, from what follows.
 */
function inMarkdown(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, (mark) => `\\${mark}`).replace(/\\([@#])/g, '\\$1\u200B');
}

/** The same, cut so that what was escaped still is within `most` UTF-16 units. */
function markdownWithin(text: string, most: number): string {
  let points = [...text];
  let escaped = inMarkdown(text);
  while (escaped.length > most) {
    points = points.slice(0, Math.floor(points.length * 0.9));
    escaped = `${inMarkdown(points.join(''))}…`;
  }
  return escaped;
}

/**
 * For a service that is not known, so nothing can be escaped: a zero-width space parts the marks of a mention and of a Markdown
 * link. A command stays whole (`image@sha256:…`, `me@host`).
 */
function inert(text: string): string {
  return text
    .replace(/(?<!\w)@|@(?=everyone|here|channel|all)/gi, '@\u200B')
    .replace(/<(?=[!@#])/g, '<\u200B')
    .replaceAll('](', ']\u200B(');
}

/** An address in a Markdown link's parentheses. */
function addressInMarkdown(url: string): string {
  return url.replace(/[()<>\\\s]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
