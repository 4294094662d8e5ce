import type { RenderedMail } from '../rendered-mail';
import { paragraph, section } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { nameOf, summaryPassage, versions, type UpdateNews } from './passages/passages';

/**
 * An offer is no longer valid and no newer one replaced it (the mail about a newer one says so itself). It keeps the
 * operator from looking for a valid link.
 */
export function offerSuperseded(news: UpdateNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'offer_superseded',
    updateId: news.update.id,
    about: name,
    subject: 'the update offer is no longer valid – nothing to do',
    verdict: { tone: 'notice', word: 'Superseded' },
    heading: `The offer to update ${name} is no longer valid`,
    blocks: [
      paragraph(`Its link no longer works, and nothing was changed. ${news.update.reason}`),
      ...summaryPassage(news),
      versions(news, { from: 'Version at that time', to: 'Offered version' }),
      ...section(
        'What to do now',
        paragraph(`Nothing. If a decision about ${name} is needed, a separate mail has its link.`),
      ),
    ],
    page: news.page,
  });
}
