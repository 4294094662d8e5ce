import { formatMinute } from '../../domain/format';
import { HOW_TO_ACT, OBSERVES } from '../../domain/mode';
import type { RenderedMail } from '../rendered-mail';
import { paragraph } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { notesPassage, rehearsalHeadline, rehearsalPassage } from './passages/surroundings';
import { nameOf, planPassage, summaryPassage, versions, type UpdateNews } from './passages/passages';

/** Automatic: diun-pilot applies the update; the operator has nothing to do. */
export function updateAvailable(news: UpdateNews): RenderedMail {
  const name = nameOf(news.update);
  const { notBefore } = news.update;
  const at = notBefore === null ? null : formatMinute(notBefore);
  return renderLetter({
    kind: 'update_available',
    updateId: news.update.id,
    about: name,
    subject: `update available, ${startText(news, at)} – nothing to do${leavesAStep(news) ? ' now' : ''}`,
    verdict: { tone: 'notice', word: 'Update available' },
    heading: headingText(news, name, at),
    blocks: [
      paragraph(news.observes === true ? OBSERVED : courseText(news, at)),
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
  if (observes === true) return `An update of ${name} is available, but is not applied`;
  return at === null ? `${name} is being updated automatically` : `${name} will be updated automatically at ${at}`;
}

/** A line of a file that diun-pilot may not be able to write. */
function leavesAStep({ plan, update }: UpdateNews): boolean {
  return (plan?.followUp ?? update.followUp) !== null;
}

function courseText(news: UpdateNews, at: string | null): string {
  const now = leavesAStep(news)
    ? 'There is nothing to do now. One step may be left afterwards: see the end of this mail.'
    : 'There is nothing to do.';
  const applied = `diun-pilot applies this update ${at === null ? 'now' : `at ${at}`}, or as soon as earlier work is finished.`;
  return `${now} ${applied} You get another mail only if it fails or needs your decision.`;
}
