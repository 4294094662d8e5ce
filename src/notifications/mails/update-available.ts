import { formatMinute } from '../../domain/format';
import { HOW_TO_ACT, OBSERVES } from '../../domain/mode';
import type { RenderedMail } from '../rendered-mail';
import { paragraph } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { notesPassage } from './passages/notes';
import { nameOf, planPassage, summaryPassage, versions, type UpdateNews } from './passages/passages';
import { rehearsalHeadline, rehearsalPassage } from './passages/rehearsal-passage';

/** Automatic: diun-pilot applies the update; the operator has nothing to do. */
export function updateAvailable(news: UpdateNews): RenderedMail {
  const name = nameOf(news.update);
  const { notBefore } = news.update;
  const at = notBefore === null ? null : formatMinute(notBefore);
  return renderLetter({
    kind: 'update_available',
    updateId: news.update.id,
    about: name,
    subject: `update available, ${startText(news, at)} – nothing to do`,
    verdict: { tone: 'notice', word: 'Update available' },
    heading: headingText(news, name, at),
    blocks: [
      paragraph(news.observes === true ? OBSERVED : courseText(at)),
      ...summaryPassage(news),
      versions(news, { from: 'Current version', to: 'New version' }),
      paragraph(`Why: ${news.update.reason}`),
      ...rehearsalHeadline(news),
      ...rehearsalPassage(news),
      ...notesPassage(news.update),
      ...planPassage(news, 'What to do afterwards'),
    ],
    page: news.page,
  });
}

const OBSERVED = `There is nothing to do. ${OBSERVES} The update stays in the queue. ${HOW_TO_ACT}`;

function startText({ observes }: UpdateNews, at: string | null): string {
  if (observes === true) return 'not applied in observe mode';
  return at === null ? 'being applied now' : `starts at ${at}`;
}

function headingText({ observes }: UpdateNews, name: string, at: string | null): string {
  if (observes === true) return `An update of ${name} is available, and is not applied`;
  return at === null ? `${name} is being updated automatically` : `${name} is updated automatically at ${at}`;
}

function courseText(at: string | null): string {
  const applied = `diun-pilot applies this update ${at === null ? 'now' : `at ${at}`}, or as soon as earlier work is finished.`;
  return `There is nothing to do. ${applied} You get another mail only if it fails.`;
}
