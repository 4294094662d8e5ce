import { formatMinute } from '../../domain/format';
import type { RenderedMail } from '../rendered-mail';
import { paragraph } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { nameOf, planPassage, summaryPassage, versions, type UpdateNews } from './passages';

/** Automatic: diun-pilot applies the update; the operator has nothing to do. */
export function updateAvailable(news: UpdateNews): RenderedMail {
  const name = nameOf(news.update);
  const { notBefore } = news.update;
  const at = notBefore === null ? null : formatMinute(notBefore);
  return renderLetter({
    kind: 'update_available',
    updateId: news.update.id,
    about: name,
    subject: `update available, ${at === null ? 'being applied now' : `starts at ${at}`} – nothing to do`,
    verdict: { tone: 'notice', word: 'Update available' },
    heading: at === null ? `${name} is being updated automatically` : `${name} is updated automatically at ${at}`,
    blocks: [
      paragraph(
        `There is nothing to do. diun-pilot applies this update ${at === null ? 'now' : `at ${at}`}, or as soon as earlier work is finished. ` +
          'You get another mail only if it fails.',
      ),
      ...summaryPassage(news),
      versions(news, { from: 'Current version', to: 'New version' }),
      paragraph(`Why: ${news.update.reason}`),
      ...planPassage(news, 'What to do afterwards'),
    ],
    page: news.page,
  });
}
