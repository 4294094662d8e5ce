import type { RenderedMail } from '../rendered-mail';
import { paragraph } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { nameOf, planPassage, summaryPassage, versions, type UpdateNews } from './passages';

/** Automatic: it is applied by itself; the reader learns of it and has nothing to do. */
export function updateAvailable(news: UpdateNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'update_available',
    updateId: news.update.id,
    about: name,
    subject: 'update available, it is being applied now',
    verdict: { tone: 'notice', word: 'Update available' },
    heading: `${name} is being updated by itself`,
    blocks: [
      paragraph(
        'There is nothing to do. diun-pilot applies this update now, or as soon as the work before it is done. ' +
          'You will hear of it again only if it fails.',
      ),
      ...summaryPassage(news),
      versions(news, { from: 'Runs now', to: 'Will run' }),
      paragraph(`Why: ${news.update.reason}`),
      ...planPassage(news, 'What you should do afterwards'),
    ],
    page: news.page,
  });
}
