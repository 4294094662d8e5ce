import type { ClosedWhy } from '../../decisions/approval-links';
import type { ErrorCode } from '../../domain/errors';
import { formatTime } from '../../domain/format';
import type { ImageAt, Update } from '../../domain/update';
import { oneLine } from '../../notifications/letter/clean';
import { IN_ITS_CONTAINER, shellCommand } from '../../notifications/letter/letter';
import { nameOf, versions } from '../../notifications/mails/passages/passages';
import { Blocks, Machine } from './blocks';
import { page } from './layout';
import type { Tone } from './words';

export interface Message {
  tone: Tone;
  /** One or two words. */
  word: string;
  heading: string;
  sentences: string[];
  /** The update that the link is about: only facts that its mail already contains. */
  update?: Update;
  commands?: string[];
  link?: { href: string; text: string };
}

/** One message, and what to do now. */
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
          <Blocks blocks={[versions(update, { from: 'Version at that time', to: 'Offered version' })]} />
        )}
      </>
    ),
  });
}

export function unknownLinkPage(): string {
  return messagePage({
    tone: 'quiet',
    word: 'Not found',
    heading: 'Invalid link',
    sentences: [
      'This is not a valid diun-pilot link; it may have been truncated or changed. Nothing was done.',
      'What to do now: copy the whole link from the mail. If it was signed with an earlier approval secret, decide on the operator page or with "diun-pilot approve".',
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
      'Its update ended more than 30 days ago. Nothing was changed.',
      'What to do now: nothing. The history on the operator page still has the update.',
    ],
  });
}

const AGAIN = 'Later versions are offered in separate mails.';

/** For a link that is no longer open. It shows nothing that the mail of the link does not contain. */
export function closedPage(why: ClosedWhy, update: Update): string {
  return messagePage({ tone: 'quiet', update, ...CLOSED[why](nameOf(update), update) });
}

const CLOSED: Record<ClosedWhy, (name: string, update: Update) => Omit<Message, 'tone'>> = {
  approved: (name, { approval }) => ({
    word: 'Used',
    heading: `This link was used: the update of ${name} was approved`,
    sentences: [
      `The update was approved${approval?.decidedAt ? ` at ${formatTime(approval.decidedAt)}` : ''}, and a link works only once. Nothing was done.`,
      'What to do now: follow the update.',
    ],
    link: { href: '?', text: 'Follow the update' },
  }),
  declined: (name, { approval, to }) => ({
    word: 'Declined',
    heading: `The update of ${name} was declined`,
    sentences: [
      `The update was declined${approval?.decidedAt ? ` at ${formatTime(approval.decidedAt)}` : ''}. ${name} stays as it is, and this version is not offered again. ${AGAIN}`,
      'What to do now: nothing. If you want this version after all, press "Try it again" on the operator page (Not offered again), or request it on the host:',
    ],
    commands: [askAgain(name, to)],
  }),
  expired: (name, { approval, to }) => ({
    word: 'Expired',
    heading: `The offer to update ${name} has expired`,
    sentences: [
      `The offer expired${approval === null ? '' : ` at ${formatTime(approval.expiresAt)}`} without a decision. ${name} stays as it is; nothing was changed.`,
      'What to do now: nothing. If you want this version, request it on the host:',
    ],
    commands: [askAgain(name, to)],
  }),
  superseded: (name) => ({
    word: 'Superseded',
    heading: `The offer to update ${name} is no longer valid`,
    sentences: [
      'The offered image or the container has changed, so this link no longer works. Nothing was done.',
      `What to do now: if there is a newer mail about ${name} with a link, use that link.`,
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
    heading: `Declined: ${name} stays as it is`,
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
    heading: `The update you approved for ${name} has changed`,
    sentences: [
      `The image or ${name} has changed since the mail was sent. Only the version you reviewed may run, so nothing was done.`,
      `What to do now: look for a new mail about ${name} with the current plan.`,
    ],
    update,
  });
}

/** The registry does not confirm the offered image, so nothing could be approved. */
export function refusedPage(update: Update): string {
  const name = nameOf(update);
  return messagePage({
    tone: 'attention',
    word: 'Nothing was done',
    heading: `The registry does not provide the image that was offered for ${name}`,
    sentences: [
      'Only an image that the registry confirms may run, so nothing was approved. The offer stays open.',
      'What to do now: check that the tag exists and that the registry login is valid, then approve again.',
    ],
    update,
  });
}

interface ErrorShown {
  status: number;
  code: ErrorCode;
  message: string;
  /** Address of the operator page; null: this reader cannot reach it. */
  home: string | null;
}

/** An error of the API, shown in a browser. */
export function errorPage({ status, code, message, home }: ErrorShown): string {
  return messagePage({
    tone: status >= 500 ? 'alarm' : 'attention',
    word: String(status),
    heading: HEADINGS[code] ?? (status >= 500 ? 'diun-pilot could not do this' : 'This was not done'),
    sentences: [SENTENCES[code] ?? message],
    ...(home === null ? {} : { link: { href: home, text: 'To the operator page' } }),
  });
}

/** Errors that a browser shows with another sentence than the API. */
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  update_not_found:
    'No update has this ID: check that the address is complete. The history on the operator page has all updates.',
};

const HEADINGS: Partial<Record<ErrorCode, string>> = {
  not_found: 'Page not found',
  update_not_found: 'There is no such update',
  unauthorized: 'A password is needed',
  too_many_requests: 'Too many requests',
  cross_site: 'This request came from another site',
  person_not_trusted: 'Unknown proxy',
  form_expired: 'This page is too old',
};
