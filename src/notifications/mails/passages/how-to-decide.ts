import { formatTime } from '../../../domain/format';
import type { Surroundings } from '../../../domain/approval';
import { paragraph, section, type Block } from '../../letter/letter';
import { shellCommand } from '../../letter/shell';
import { planPassage, type UpdateNews } from './passages';
import { surroundingsPassage } from './surroundings';

/** `approvalUrl`: the signed link to the page with the two buttons. */
export interface CriticalNews extends UpdateNews {
  approvalUrl: string;
  surroundings: Surroundings;
}

/** The links of an approval request, and the commands for an operator on the host. Opening a link never changes anything. */
export function howToDecide(news: CriticalNews): Block[] {
  return [
    ...section(
      'How to decide',
      paragraph('The link opens a page with this plan and two buttons. Opening it never changes anything.'),
      { type: 'link', label: 'Review the plan and decide', url: news.approvalUrl, button: true },
      { type: 'link', label: 'Decline this update', url: `${news.approvalUrl}#decline`, button: false },
      paragraph(expiry(news)),
      paragraph('Anyone with the link can decide: do not forward this mail.'),
    ),
    ...byCommand(news),
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

function expiry({ update }: CriticalNews): string {
  if (update.approval === null) return 'To skip this update, do nothing.';
  return `If you do nothing, nothing happens: the request expires at ${formatTime(update.approval.expiresAt)}.`;
}

function byCommand({ update }: CriticalNews): Block[] {
  return section('Or on the host', {
    type: 'commands',
    lines: [shellCommand('diun-pilot', 'approve', update.id), shellCommand('diun-pilot', 'decline', update.id)],
  });
}
