import type { ChannelNotice, NoticePriority, NoticeTopic } from '../../domain/channel-notice';
import type { MailKind } from '../rendered-mail';
import { oneLine, webUrl } from './clean';
import type { Block, Letter, Tone } from './letter';

const LONGEST_TITLE = 160;
const LONGEST_PARAGRAPH = 500;
const MOST_PARAGRAPHS = 8;

const PRIORITIES: Record<Tone, NoticePriority> = { alarm: 5, attention: 4, notice: 3, good: 2 };
const DECISIONS: readonly MailKind[] = [
  'critical_update_available',
  'approval_reminder',
  'offer_superseded',
  'soak_failed',
];

/** The letter in a few lines: its heading, what stands before its first section, and the cause of a failure. */
export function noticeOfLetter(letter: Letter): ChannelNotice {
  const { kind, verdict } = letter;
  return {
    kind,
    topic: topicOf(letter),
    title: oneLine(`${letter.about}: ${letter.subject}`, LONGEST_TITLE),
    verdict: oneLine(verdict.word, LONGEST_TITLE),
    priority: PRIORITIES[verdict.tone],
    text: paragraphsOf(letter),
    link: linkOf(letter),
  };
}

function topicOf({ kind, verdict }: Letter): NoticeTopic {
  if (DECISIONS.includes(kind)) return 'decisions';
  return verdict.tone === 'good' || verdict.tone === 'notice' ? 'successes' : 'failures';
}

function paragraphsOf({ heading, blocks }: Letter): string[] {
  const firstSection = blocks.findIndex(({ type }) => type === 'heading');
  const opening = firstSection < 0 ? blocks : blocks.slice(0, firstSection);
  const cause = blocks.findIndex((block) => block.type === 'heading' && /^What went wrong/.test(block.text));
  const said = [...opening, ...(cause < 0 ? [] : blocks.slice(cause + 1, cause + 2))].flatMap(sentencesOf);
  return [heading, ...said].slice(0, MOST_PARAGRAPHS).map((text) => oneLine(text, LONGEST_PARAGRAPH));
}

function sentencesOf(block: Block): string[] {
  if (block.type === 'link') return linkSentence(block);
  return block.type === 'paragraph' || block.type === 'important' ? [block.text] : [];
}

/** An address that is cut leads nowhere. */
function linkSentence({ label, url }: Extract<Block, { type: 'link' }>): string[] {
  const address = webUrl(url);
  return address === null || label.length + address.length + 2 > LONGEST_PARAGRAPH ? [] : [`${label}: ${address}`];
}

/** What its button opens; without a button, the page at its foot. */
function linkOf({ blocks, page }: Letter): ChannelNotice['link'] {
  const button = blocks.find((block) => block.type === 'link' && block.button === true);
  const [label, url] = button?.type === 'link' ? [button.label, webUrl(button.url)] : ['Open the page', webUrl(page)];
  return url === null ? null : { label: oneLine(label, LONGEST_TITLE), url };
}
