import type { ImageAt } from '../../domain/update';
import type { RenderedMail } from '../rendered-mail';
import { paragraph, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { howToDecide, wholePlan, type CriticalNews } from './how-to-decide';
import { nameOf, summaryPassage, versions } from './passages';

export interface OfferNews extends CriticalNews {
  /** What an earlier offer for the same container was about, whose link is void by this one; null: there was none. */
  replaces: ImageAt | null;
}

/** Manual: nothing happens until a person starts it. */
export function criticalUpdateAvailable(news: OfferNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'critical_update_available',
    updateId: news.update.id,
    about: name,
    subject:
      news.replaces === null
        ? 'critical update available, it waits for you'
        : 'critical update available, newer than the one offered before',
    verdict: { tone: 'attention', word: 'Waits for you' },
    heading: `Critical update available for ${name}`,
    blocks: [
      paragraph(`Nothing has been changed, and nothing will be until you approve it: ${name} goes on as it is.`),
      ...summaryPassage(news),
      ...replacement(news),
      versions(news, { from: 'Runs now', to: 'Would run' }),
      paragraph(`Why it waits: ${news.update.reason}`),
      ...howToDecide(news),
      ...wholePlan(news),
    ],
    page: news.page,
  });
}

function replacement({ replaces }: OfferNews): Block[] {
  if (replaces === null) return [];
  const { reference, digest } = replaces;
  const earlier = digest === null ? reference : `${reference}, ${digest}`;
  return [
    paragraph(
      `A newer version came, so this takes the place of an earlier offer for the same container (${earlier}), ` +
        'whose link is void. Only the link of this mail counts.',
    ),
  ];
}
