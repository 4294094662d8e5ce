import type { ClosedWhy } from '../../approvals/approval-view';
import type { ImageAt, Update } from '../../domain/update';
import { oneLine } from '../../notifications/letter/clean';
import { IN_ITS_CONTAINER } from '../../notifications/letter/in-its-container';
import { utc } from '../../notifications/letter/words';
import { nameOf, versions } from '../../notifications/mails/passages';
import { shellCommand } from '../../notifications/letter/shell';
import { Blocks, Machine } from './blocks';
import { page } from './layout';
import type { Tone } from './words';

export interface Message {
  tone: Tone;
  /** One or two words. */
  word: string;
  heading: string;
  sentences: string[];
  /** The update that the link speaks of: only what the mail has told already. */
  update?: Update;
  commands?: string[];
  link?: { href: string; text: string };
}

/** One thing to say, and what to do now. */
export function messagePage({ tone, word, heading, sentences, update, commands = [], link }: Message): string {
  return page({
    title: heading,
    children: (
      <>
        <p class={`badge ${tone}`}>{word}</p>
        <h1>{oneLine(heading)}</h1>
        {sentences.map((sentence) => (
          <p>{oneLine(sentence)}</p>
        ))}
        <Machine lines={commands.map((line) => oneLine(line))} />
        {commands.length === 0 ? null : <p class="small">{IN_ITS_CONTAINER}</p>}
        {link === undefined ? null : (
          <p class="alone">
            <a href={link.href}>{link.text}</a>
          </p>
        )}
        {update === undefined ? null : (
          <Blocks
            blocks={[versions({ update, plan: null, backup: null, page: '' }, { from: 'Ran then', to: 'Was offered' })]}
          />
        )}
      </>
    ),
  });
}

export function unknownLinkPage(): string {
  return messagePage({
    tone: 'quiet',
    word: 'Not found',
    heading: 'This link opens nothing',
    sentences: [
      'It is no link of diun-pilot, or it was cut or changed on its way. Nothing was done.',
      'What to do now: copy the whole link from the mail, in one piece. If it was made with an earlier approval secret, decide on the page of diun-pilot or with "diun-pilot approve".',
    ],
  });
}

/** The link at the foot of a mail, long after the update. */
export function viewEndedPage(): string {
  return messagePage({
    tone: 'quiet',
    word: 'Expired',
    heading: 'This link has expired',
    sentences: [
      'It showed an update that ended more than 30 days ago. Nothing was changed.',
      'What to do now: nothing. The history of the operator page still has the update.',
    ],
  });
}

const AGAIN = 'Later versions are offered in mails of their own.';

/** Of a link that is not open any more. Nobody learns more here than the link's mail has told. */
export function closedPage(why: ClosedWhy, update: Update): string {
  return messagePage({ tone: 'quiet', update, ...CLOSED[why](nameOf(update), update) });
}

const CLOSED: Record<ClosedWhy, (name: string, update: Update) => Omit<Message, 'tone'>> = {
  approved: (name, { approval }) => ({
    word: 'Used',
    heading: `This link was used: the update of ${name} was approved`,
    sentences: [
      `It was approved${approval?.decidedAt ? ` ${utc(approval.decidedAt)}` : ''}, and a link counts once. Nothing was done now.`,
      'What to do now: look how the update goes.',
    ],
    link: { href: '?', text: 'Follow the update' },
  }),
  declined: (name, { approval, to }) => ({
    word: 'Declined',
    heading: `The update of ${name} was declined`,
    sentences: [
      `It was declined${approval?.decidedAt ? ` ${utc(approval.decidedAt)}` : ''}: ${name} goes on as it is, and this version is not offered again. ${AGAIN}`,
      'What to do now: nothing. If you want this version after all, press "Try it again" on the operator page (Not offered again), or ask for it on the host:',
    ],
    commands: [askAgain(name, to)],
  }),
  expired: (name, { approval, to }) => ({
    word: 'Expired',
    heading: `The offer to update ${name} has expired`,
    sentences: [
      `It ended${approval === null ? '' : ` ${utc(approval.expiresAt)}`} without a decision: ${name} goes on as it is, and nothing was changed.`,
      'What to do now: nothing, or if you want this version, ask for it on the host:',
    ],
    commands: [askAgain(name, to)],
  }),
  superseded: (name) => ({
    word: 'Superseded',
    heading: `This offer to update ${name} does not hold any more`,
    sentences: [
      'What it was about has changed meanwhile, so this link is void and nothing was done.',
      `What to do now: look for a newer mail about ${name}; it has the link that counts.`,
    ],
  }),
};

function askAgain(name: string, { reference }: ImageAt): string {
  return shellCommand('diun-pilot', 'update', name, reference);
}

export function declinedPage(update: Update): string {
  const name = nameOf(update);
  return messagePage({
    tone: 'good',
    word: 'Declined',
    heading: `Declined: ${name} goes on as it is`,
    sentences: [`Nothing was changed. This version is not offered again for ${name}. ${AGAIN}`],
    update,
  });
}

/** The tag or the container moved between the mail and the button. */
export function movedPage(update: Update): string {
  const name = nameOf(update);
  return messagePage({
    tone: 'attention',
    word: 'Nothing was done',
    heading: `What you approved for ${name} is not what is there now`,
    sentences: [
      `The image or ${name} has changed since the mail was sent. Only what you saw may run, so nothing was done.`,
      `What to do now: look for a new mail about ${name}, with the plan as it is now.`,
    ],
    update,
  });
}

/** The registry does not know the offered image now, so nothing could be approved. */
export function refusedPage(update: Update): string {
  const name = nameOf(update);
  return messagePage({
    tone: 'attention',
    word: 'Nothing was done',
    heading: `The registry does not give the image that was offered for ${name}`,
    sentences: [
      'Only what the registry confirms may run, so nothing was approved. The offer stays open.',
      'What to do now: see that the tag exists and that the login of the registry is valid, then approve again.',
    ],
    update,
  });
}
