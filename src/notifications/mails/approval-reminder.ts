import type { RenderedMail } from '../rendered-mail';
import { paragraph } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { utc } from '../letter/words';
import { howToDecide, wholePlan, type CriticalNews } from './how-to-decide';
import { nameOf, versions } from './passages';

/** A day before an offer ends. */
export function approvalReminder(news: CriticalNews): RenderedMail {
  const name = nameOf(news.update);
  const ends = news.update.approval === null ? 'soon' : utc(news.update.approval.expiresAt);
  return renderLetter({
    kind: 'approval_reminder',
    updateId: news.update.id,
    about: name,
    subject: 'an update still waits for you, its link ends soon',
    verdict: { tone: 'attention', word: 'Still waits for you' },
    heading: `The update of ${name} still waits`,
    blocks: [
      paragraph(`Nothing has been changed. The offer ends ${ends}; after that it takes a new one to update ${name}.`),
      versions(news, { from: 'Runs now', to: 'Would run' }),
      ...howToDecide(news),
      ...wholePlan(news),
    ],
    page: news.page,
  });
}
