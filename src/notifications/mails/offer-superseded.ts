import type { RenderedMail } from '../rendered-mail';
import { paragraph, section } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { nameOf, summaryPassage, versions, type UpdateNews } from './passages';

/**
 * What was offered does not hold any more, and no other offer took its place (else that one's mail says it): so that
 * nobody looks for a link that still works.
 */
export function offerSuperseded(news: UpdateNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'offer_superseded',
    updateId: news.update.id,
    about: name,
    subject: 'the update that you were offered does not hold any more',
    verdict: { tone: 'notice', word: 'Superseded' },
    heading: `The offer to update ${name} does not hold any more`,
    blocks: [
      paragraph(`Its link is void, and nothing was done by it. ${news.update.reason}`),
      ...summaryPassage(news),
      versions(news, { from: 'Ran then', to: 'Was offered' }),
      ...section(
        'What to do now',
        paragraph(`Nothing. If there is something to decide about ${name}, a mail of its own has the link for it.`),
      ),
    ],
    page: news.page,
  });
}
