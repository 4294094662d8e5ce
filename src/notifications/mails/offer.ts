import { whyNotYet, type NotYet, type Surroundings } from '../../domain/approval';
import { formatMinute, formatTime } from '../../domain/format';
import { HOW_TO_ACT, OBSERVES } from '../../domain/mode';
import type { ImageAt } from '../../domain/update';
import { important, paragraph, section, shellCommand, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import {
  nameOf,
  plannedVersions,
  planPassage,
  requestCommand,
  summaryPassage,
  versions,
  type OfferNews,
} from './passages/passages';
import {
  notesPassage,
  rehearsalHeadline,
  rehearsalInSubject,
  rehearsalPassage,
  surroundingsPassage,
} from './passages/surroundings';

/** Automatic: diun-pilot applies the update; the operator has nothing to do. */
export function updateAvailable(news: OfferNews): RenderedMail {
  const name = nameOf(news.update);
  const { notBefore } = news.update;
  const at = notBefore === null ? null : formatMinute(notBefore);
  return renderLetter({
    kind: 'update_available',
    updateId: news.update.id,
    about: name,
    subject: `update available, ${startText(news, at)} – nothing to do${leavesAStep(news) ? ' now' : ''}`,
    verdict: { tone: 'notice', word: 'Update available' },
    heading: headingText(news, name, at),
    blocks: [
      paragraph(news.observes === true ? NOT_APPLIED : courseText(news, at)),
      ...summaryPassage(news),
      plannedVersions(news, { from: 'Current version', to: 'New version' }),
      paragraph(`Why: ${news.update.reason}`),
      ...rehearsalHeadline(news),
      ...rehearsalPassage(news),
      ...notesPassage(news.update),
      ...planPassage(news, 'What to do afterwards'),
    ],
    page: news.page,
  });
}

const NOT_APPLIED = `There is nothing to do. ${OBSERVES} The update stays in the queue. ${HOW_TO_ACT}`;

function startText({ observes }: OfferNews, at: string | null): string {
  if (observes === true) return 'not applied in observe mode';
  return at === null ? 'being applied now' : `starts at ${at}`;
}

function headingText({ observes }: OfferNews, name: string, at: string | null): string {
  if (observes === true) return `An update of ${name} is available, but is not applied`;
  return at === null ? `${name} is being updated automatically` : `${name} will be updated automatically at ${at}`;
}

/** A line of a file that diun-pilot may not be able to write. */
function leavesAStep({ plan, update }: OfferNews): boolean {
  return (plan?.followUp ?? update.followUp) !== null;
}

function courseText(news: OfferNews, at: string | null): string {
  const now = leavesAStep(news)
    ? 'There is nothing to do now. A manual step may be left afterwards: see the end of this mail.'
    : 'There is nothing to do.';
  const applied = `diun-pilot applies this update ${at === null ? 'now' : `at ${at}`}, or as soon as earlier work is finished.`;
  return `${now} ${applied} You get another mail only if it fails or needs your decision.`;
}

/** `approvalUrl`: the signed link to the page with the buttons. */
interface CriticalNews extends OfferNews {
  approvalUrl: string;
  surroundings: Surroundings;
}

interface NewOfferNews extends CriticalNews {
  /** The image of an earlier offer for the same container, which this one supersedes; null without one. */
  replaces: ImageAt | null;
}

/** Manual: nothing happens until the operator approves. */
export function criticalUpdateAvailable(news: NewOfferNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'critical_update_available',
    updateId: news.update.id,
    about: name,
    subject: `critical update available${news.replaces === null ? '' : ', newer than the previous offer'}${signatureInSubject(news)}${rehearsalInSubject(news)} – ${
      news.observes === true ? 'nothing to approve in observe mode' : 'approval required'
    }`,
    verdict: { tone: 'attention', word: news.observes === true ? 'Observe mode' : 'Approval required' },
    heading: `Critical update available for ${name}`,
    blocks: [
      paragraph(
        `Nothing has been changed. ${name} keeps its current version until you approve the update.${expiresAt(news)}`,
      ),
      ...(news.observes === true ? [paragraph(NOT_APPROVED)] : []),
      ...summaryPassage(news),
      ...replacement(news),
      plannedVersions(news, { from: 'Current version', to: 'New version' }),
      ...rehearsalHeadline(news),
      paragraph(`Reason for the approval: ${news.update.reason}`),
      ...rehearsalPassage(news),
      ...notesPassage(news.update),
      ...howToDecide(news),
      ...wholePlan(news),
    ],
    page: news.page,
  });
}

function expiresAt({ update: { approval } }: OfferNews): string {
  return approval === null ? '' : ` The offer expires at ${formatTime(approval.expiresAt)}.`;
}

/** Only what must not be missed. */
function signatureInSubject({ update: { signature } }: OfferNews): string {
  return signature?.status === 'missing' ? ', not signed' : '';
}

const NOT_APPROVED = `${OBSERVES} You can decline this update, but not approve it. ${HOW_TO_ACT}`;

function replacement({ replaces }: NewOfferNews): Block[] {
  if (replaces === null) return [];
  const { reference, digest } = replaces;
  const earlier = digest === null ? reference : `${reference}, ${digest}`;
  return [
    paragraph(
      `This offer supersedes an earlier offer for the same container (${earlier}). ` +
        'The earlier link is no longer valid; use the link in this mail.',
    ),
  ];
}

/** A day before an offer expires. */
export function approvalReminder(news: CriticalNews): RenderedMail {
  const name = nameOf(news.update);
  const ends = news.update.approval === null ? 'soon' : `at ${formatTime(news.update.approval.expiresAt)}`;
  return renderLetter({
    kind: 'approval_reminder',
    updateId: news.update.id,
    about: name,
    subject: 'update pending, its approval link expires soon – please decide',
    verdict: { tone: 'attention', word: 'Approval pending' },
    heading: `The update of ${name} is still waiting for your decision`,
    blocks: [
      paragraph(
        `Nothing has been changed. The offer expires ${ends}. To update after that, request it yourself: ${requestCommand(news.update)}`,
      ),
      plannedVersions(news, { from: 'Current version', to: 'New version' }),
      ...howToDecide(news),
      ...wholePlan(news),
    ],
    page: news.page,
  });
}

/** The links of an approval request, and the commands for an operator on the host. Opening a link never changes anything. */
function howToDecide(news: CriticalNews): Block[] {
  const notYet = notYetIn(news);
  return [
    ...section(
      'How to decide',
      ...(notYet === null ? countsForADay(news) : [important(`You cannot approve this update yet. ${notYet.reason}`)]),
      paragraph(whatItOpens(news)),
      { type: 'link', label: 'Review the plan and decide', url: news.approvalUrl, button: true },
      { type: 'link', label: 'Decline this update', url: `${news.approvalUrl}#decline`, button: false },
      paragraph(expiry(news)),
      paragraph('Anyone with the link can decide: do not forward this mail.'),
    ),
    ...byCommand(news, notYet),
  ];
}

/** The plan as the page shows it. */
function wholePlan(news: CriticalNews): Block[] {
  const { plan, surroundings } = news;
  return [
    ...(plan === null ? [] : surroundingsPassage(surroundings, plan)),
    ...planPassage(news, 'What you must do afterwards'),
  ];
}

function whatItOpens({ plan }: CriticalNews): string {
  const when = plan?.window ? ` now, approve it for the next update window (${plan.window}),` : '';
  return `The link opens a page with this plan, where you approve the update${when} or decline it. Opening it never changes anything.`;
}

function expiry({ update }: CriticalNews): string {
  if (update.approval === null) return 'To skip this update, do nothing.';
  return `If you do nothing, nothing happens: the offer expires at ${formatTime(update.approval.expiresAt)}.`;
}

/** As it is when the mail is written: a verdict counts from its own time on. */
function notYetIn({ update, plan, surroundings: { rehearsal } }: CriticalNews): NotYet | null {
  return plan && whyNotYet(plan, update, rehearsal, new Date(rehearsal?.finishedAt ?? update.createdAt));
}

function countsForADay({ plan }: CriticalNews): Block[] {
  if (plan?.newMajor === undefined) return [];
  return [paragraph('The passed rehearsal counts for 24 hours. After that, rehearse again before you approve.')];
}

function byCommand({ update }: CriticalNews, notYet: NotYet | null): Block[] {
  const first = notYet === null ? 'approve' : notYet.code === 'rehearsal_required' ? 'rehearse' : null;
  const commands = [...(first === null ? [] : [first]), 'decline'];
  return section('Or on the host', {
    type: 'commands',
    lines: commands.map((command) => shellCommand('diun-pilot', command, update.id)),
  });
}

/**
 * An offer is no longer valid and no newer one replaced it (the mail about a newer one says so itself). It keeps the
 * operator from looking for a valid link.
 */
export function offerSuperseded(news: Pick<OfferNews, 'update' | 'page' | 'summarised'>): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'offer_superseded',
    updateId: news.update.id,
    about: name,
    subject: 'the update offer is no longer valid – nothing to do',
    verdict: { tone: 'notice', word: 'Superseded' },
    heading: `The offer to update ${name} is no longer valid`,
    blocks: [
      paragraph(`The link to it no longer works, and nothing was changed. ${news.update.reason}`),
      ...summaryPassage(news),
      versions(news.update, { from: 'Version at that time', to: 'Offered version' }),
      ...section(
        'What to do now',
        paragraph(`Nothing. If a decision about ${name} is needed, a separate mail has its link.`),
      ),
    ],
    page: news.page,
  });
}
