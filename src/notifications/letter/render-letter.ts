import type { ChannelNotice, NoticePriority, NoticeTopic } from '../../domain/channel-notice';
import type { MailKind, RenderedMail } from '../rendered-mail';
import { oneLine, subjectLine, webUrl } from './clean';
import { html } from './html';
import type { Block, Letter, Tone } from './letter';
import { plainText } from './plain-text';

export function renderLetter(letter: Letter): RenderedMail {
  const subject = subjectLine(letter.about, letter.subject);
  return {
    kind: letter.kind,
    updateId: letter.updateId,
    subject,
    html: html(letter, subject),
    text: plainText(letter),
    notice: noticeOfLetter(letter),
  };
}

const LONGEST_TITLE = 160;
const LONGEST_PARAGRAPH = 500;
/** Of what stands before the first section, and of the sections that say what to do. */
const MOST_OPENING = 6;
const MOST_TO_DO = 2;
const CAUSE = /^What went wrong/;
const TO_DO =
  /^(?:What to do now|What you can do|What happens next|Look (?:at it )?first|Then |Bring it back|Check it)/;

const PRIORITIES: Record<Tone, NoticePriority> = { alarm: 5, attention: 4, notice: 3, good: 2 };
const DECISIONS: readonly MailKind[] = [
  'critical_update_available',
  'approval_reminder',
  'offer_superseded',
  'soak_failed',
];

/** The letter in a few lines: its heading, what stands before its first section, the cause of a failure, and what to do. */
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
  const [opening = [], ...sections] = inSections(blocks);
  const cause = sections.filter(({ [0]: first }) => isHeading(first, CAUSE)).map((section) => section.slice(1, 2));
  const toDo = sections.filter(({ [0]: first }) => isHeading(first, TO_DO)).slice(0, MOST_TO_DO);
  return [
    heading,
    ...sentencesOf(opening).slice(0, MOST_OPENING),
    ...sentencesOf(cause.flat()),
    ...toDo.map(inOneLine),
  ].map((text) => oneLine(text, LONGEST_PARAGRAPH));
}

/** What stands before the first heading, then each heading with what follows it. */
function inSections(blocks: readonly Block[]): Block[][] {
  const sections: Block[][] = [[]];
  for (const block of blocks) {
    if (block.type === 'heading') sections.push([]);
    sections.at(-1)?.push(block);
  }
  return sections;
}

function isHeading(block: Block | undefined, pattern: RegExp): boolean {
  return block?.type === 'heading' && pattern.test(block.text);
}

/** A sentence that only announces a log or commands is left out. */
function sentencesOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block, index) => {
    if (block.type === 'link') return linkSentence(block);
    if (block.type !== 'paragraph' && block.type !== 'important') return [];
    const next = blocks[index + 1]?.type;
    const announces = block.text.endsWith(':') && (next === 'log' || next === 'commands');
    return announces ? [] : [block.text];
  });
}

/** `Look at it first: docker ps -a; docker logs --tail 100 nginx`. Up to its first list or commands: the mail has the rest. */
function inOneLine([heading, ...blocks]: readonly Block[]): string {
  const last = blocks.findIndex(({ type }) => type === 'commands' || type === 'list');
  const said = blocks.slice(0, last < 0 ? blocks.length : last + 1).flatMap((block) => {
    if (block.type === 'commands') return [block.lines.join('; ')];
    if (block.type === 'list') return [block.items.join(' ')];
    return block.type === 'paragraph' || block.type === 'important' ? [block.text] : [];
  });
  return `${heading?.type === 'heading' ? heading.text : ''}: ${said.join(' ')}`;
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
