import type { RenderedMail } from '../rendered-mail';
import { paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { utc } from '../letter/words';
import { nameOf, pageOf, planPassage, startCommands, versions, type UpdateNews } from './passages';

/** `approvalUrl`: the signed link; null: the operator starts the update by command. */
export interface CriticalNews extends UpdateNews {
  approvalUrl: string | null;
}

/** Manual: nothing happens until a person starts it. */
export function criticalUpdateAvailable(news: CriticalNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'critical_update_available',
    updateId: news.update.id,
    about: name,
    subject: 'critical update available, it waits for you',
    verdict: { tone: 'attention', word: 'Waits for you' },
    heading: `Critical update available for ${name}`,
    blocks: [
      paragraph(`Nothing has been changed, and nothing will be until you start it: ${name} goes on as it is.`),
      versions(news, { from: 'Runs now', to: 'Would run' }),
      paragraph(`Why it waits: ${news.update.reason}`),
      ...howToStart(news),
      ...planPassage(news, 'What you must do afterwards'),
    ],
    page: pageOf(news),
  });
}

function howToStart(news: CriticalNews): Block[] {
  if (news.approvalUrl === null) {
    return section('How to start it', ...startCommands(news), paragraph(expiry(news)));
  }
  return section(
    'How to decide',
    paragraph('The link opens a page with this plan and two buttons. Opening it changes nothing.'),
    { type: 'link', label: 'Look at the plan and decide', url: news.approvalUrl, button: true },
    paragraph(expiry(news)),
  );
}

function expiry({ update }: CriticalNews): string {
  if (update.approval === null) return 'If you do not want it, do nothing.';
  return `If you do not want it, do nothing: the offer ends ${utc(update.approval.expiresAt)}.`;
}
