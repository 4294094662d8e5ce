import { formatBetween } from '../../domain/format';
import type { DataChange } from '../../domain/data/data-fingerprint';
import type { Update } from '../../domain/update';
import type { RenderedMail } from '../rendered-mail';
import { splitDetail } from '../letter/clean';
import { important, paragraph, section } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { dataChangeBlocks } from './data-changed';
import { backupPassage, nameOf, stepsPassage, versions, type EndNews } from './passages/passages';

/** Manual: reports the success and what is left to do. `kept`: what the update keeps past its end, as sentences. */
export function updateSucceeded(news: EndNews & { dataChange?: DataChange | null; kept?: string[] }): RenderedMail {
  const { update } = news;
  const { followUp } = update;
  const name = nameOf(update);
  return renderLetter({
    kind: 'update_succeeded',
    updateId: update.id,
    about: name,
    subject: followUp === null ? 'updated, the new version is healthy' : 'updated – one manual step is left',
    verdict: { tone: followUp === null ? 'good' : 'notice', word: 'Updated' },
    heading: `${name} is running the new version and is healthy`,
    blocks: [
      paragraph(howItWent(update)),
      ...section('What to do now', followUp === null ? null : important(followUp)),
      ...dataChangeBlocks(news.dataChange ?? null),
      ...section('Kept', ...(news.kept ?? []).map(paragraph)),
      versions(update, { from: 'Previous version', to: 'Current version' }),
      ...stepsPassage(update),
      ...backupPassage(news.backup),
    ],
    page: news.page,
  });
}

function howItWent(update: Update): string {
  const took = formatBetween(update.startedAt, update.finishedAt);
  const check = update.steps.find((step) => step.name === 'health_check' && step.status === 'succeeded');
  const how = check?.detail ? ` Health check: ${splitDetail(check.detail).sentence}` : '';
  return `${took === null ? 'The update is done.' : `The update took ${took}.`}${how}`;
}
