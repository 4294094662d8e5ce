import { formatTime } from '../../domain/format';
import { HOW_TO_ACT, OBSERVES } from '../../domain/mode';
import type { ImageAt } from '../../domain/update';
import type { RenderedMail } from '../rendered-mail';
import { paragraph, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { howToDecide, wholePlan, type CriticalNews } from './passages/how-to-decide';
import { notesPassage, rehearsalHeadline, rehearsalInSubject, rehearsalPassage } from './passages/surroundings';
import { nameOf, summaryPassage, versions } from './passages/passages';

export interface OfferNews extends CriticalNews {
  /** The image of an earlier offer for the same container, which this one supersedes; null without one. */
  replaces: ImageAt | null;
}

/** Manual: nothing happens until the operator approves. */
export function criticalUpdateAvailable(news: OfferNews): RenderedMail {
  const name = nameOf(news.update);
  return renderLetter({
    kind: 'critical_update_available',
    updateId: news.update.id,
    about: name,
    subject: `critical update available${news.replaces === null ? '' : ', newer than the previous offer'}${signatureInSubject(news)}${rehearsalInSubject(news)} – ${
      news.observes === true ? 'nothing to approve in observe mode' : 'approval required'
    }`,
    verdict: { tone: 'attention', word: 'Approval required' },
    heading: `Critical update available for ${name}`,
    blocks: [
      paragraph(
        `Nothing has been changed. ${name} keeps its current version until you approve the update.${expiresAt(news)}`,
      ),
      ...(news.observes === true ? [paragraph(OBSERVED)] : []),
      ...summaryPassage(news),
      ...replacement(news),
      versions(news, { from: 'Current version', to: 'New version' }),
      ...rehearsalHeadline(news),
      paragraph(`Reason for the approval: ${news.update.reason}`),
      ...rehearsalPassage(news),
      ...notesPassage(news.update),
      ...howToDecide(news),
      ...wholePlan(news),
    ],
    page: news.page,
  });
}

function expiresAt({ update: { approval } }: OfferNews): string {
  return approval === null ? '' : ` The offer expires at ${formatTime(approval.expiresAt)}.`;
}

/** Only what must not be missed. */
function signatureInSubject({ update: { signature } }: OfferNews): string {
  return signature?.status === 'missing' ? ', not signed' : '';
}

const OBSERVED = `${OBSERVES} It refuses an approval of this update; you can decline it. ${HOW_TO_ACT}`;

function replacement({ replaces }: OfferNews): Block[] {
  if (replaces === null) return [];
  const { reference, digest } = replaces;
  const earlier = digest === null ? reference : `${reference}, ${digest}`;
  return [
    paragraph(
      `This offer supersedes an earlier offer for the same container (${earlier}). ` +
        'The earlier link is no longer valid; use the link in this mail.',
    ),
  ];
}
