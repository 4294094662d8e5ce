import { paragraph, section, type Block } from '../letter/letter';
import { utc } from '../letter/words';
import { startCommands, type UpdateNews } from './passages';

/** `approvalUrl`: the signed link; null: the operator starts the update by command. */
export interface CriticalNews extends UpdateNews {
  approvalUrl: string | null;
}

/** The links of a mail that asks, or the commands where there is none. Opening a link changes nothing. */
export function howToDecide(news: CriticalNews): Block[] {
  if (news.approvalUrl === null) {
    return section('How to start it', ...startCommands(news), paragraph(expiry(news)));
  }
  return section(
    'How to decide',
    paragraph('The link opens a page with this plan and two buttons. Opening it changes nothing.'),
    { type: 'link', label: 'Look at the plan and decide', url: news.approvalUrl, button: true },
    { type: 'link', label: 'Decline this update', url: `${news.approvalUrl}#decline`, button: false },
    paragraph(expiry(news)),
    paragraph('Whoever has the link can decide: do not forward this mail.'),
  );
}

function expiry({ update }: CriticalNews): string {
  if (update.approval === null) return 'If you do not want it, do nothing.';
  return `If you do nothing, nothing happens: the offer ends ${utc(update.approval.expiresAt)}.`;
}
