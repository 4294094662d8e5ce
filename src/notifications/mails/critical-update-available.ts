import type { RenderedMail } from '../rendered-mail';
import { paragraph, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { howToDecide, type CriticalNews } from './how-to-decide';
import { nameOf, pageOf, planPassage, versions } from './passages';

export interface OfferNews extends CriticalNews {
  /** An earlier offer for the same container was superseded by this one: its link is void. */
  replacesEarlier?: boolean;
}

/** Manual: nothing happens until a person starts it. */
export function criticalUpdateAvailable(news: OfferNews): RenderedMail {
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
      ...replacement(news),
      versions(news, { from: 'Runs now', to: 'Would run' }),
      paragraph(`Why it waits: ${news.update.reason}`),
      ...howToDecide(news),
      ...planPassage(news, 'What you must do afterwards'),
    ],
    page: pageOf(news),
  });
}

function replacement({ replacesEarlier }: OfferNews): Block[] {
  const words =
    'It takes the place of an earlier offer for the same container, whose link is void: a newer version came.';
  return replacesEarlier === true ? [paragraph(words)] : [];
}
