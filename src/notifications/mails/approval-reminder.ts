import { formatTime } from '../../domain/format';
import type { RenderedMail } from '../rendered-mail';
import { paragraph } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { howToDecide, wholePlan, type CriticalNews } from './passages/how-to-decide';
import { nameOf, requestCommand, versions } from './passages/passages';

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
        `Nothing has been changed. The offer expires ${ends}. After that, you must request the update: ${requestCommand(news.update)}`,
      ),
      versions(news, { from: 'Current version', to: 'New version' }),
      ...howToDecide(news),
      ...wholePlan(news),
    ],
    page: news.page,
  });
}
