import { formatTime } from '../../../domain/format';
import { whyNotYet, type NotYet, type Surroundings } from '../../../domain/approval';
import { paragraph, section, type Block, shellCommand } from '../../letter/letter';
import { planPassage, type UpdateNews } from './passages';
import { surroundingsPassage } from './surroundings';

/** `approvalUrl`: the signed link to the page with the buttons. */
export interface CriticalNews extends UpdateNews {
  approvalUrl: string;
  surroundings: Surroundings;
}

/** The links of an approval request, and the commands for an operator on the host. Opening a link never changes anything. */
export function howToDecide(news: CriticalNews): Block[] {
  const notYet = notYetIn(news);
  return [
    ...section(
      'How to decide',
      ...(notYet === null ? countsForADay(news) : [{ type: 'important' as const, text: notYetText(notYet) }]),
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
export function wholePlan(news: CriticalNews): Block[] {
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

function notYetText({ reason }: NotYet): string {
  return `You cannot approve this update yet. ${reason}`;
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
