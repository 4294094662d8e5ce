import { isTagRetried, NEEDS_A_CHANGE, RESTS_EXPIRED_MS, RESTS_FAILED_MS } from '../../domain/decision/rests';
import { formatTimeout } from '../../domain/format';
import type { RenderedMail } from '../rendered-mail';
import { splitDetail } from '../letter/clean';
import { important, machineSaid, paragraph, section, stepTitle, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { causeOf, failedStep, failureText } from './failure';
import { isGone, type Seen } from './failure-text';
import {
  backupPassage,
  isOtherTag,
  nameOf,
  requestCommand,
  stepsPassage,
  versions,
  type EndNews,
} from './passages/passages';

/** `quarantined`: this digest is not retried automatically on this container. */
export interface FailedNews extends EndNews, Seen {
  quarantined: boolean;
  /** False: the registry is not compared by schedule. Left out: it is. */
  reconciles?: boolean;
  /** What the update keeps past its end, as sentences. */
  kept?: readonly string[];
  /** The signed link that restores the data from before the update, for a rollback that failed; null without one. */
  restoreUrl?: string | null;
}

/**
 * The mail of a verdict `failed`, `rolled_back` or `rollback_failed`. Throws for any other state: there is no true
 * text for it.
 */
export function updateFailed(news: FailedNews): RenderedMail {
  const { update } = news;
  const failure = failureText(update, news.backup, news);
  return renderLetter({
    kind: 'update_failed',
    updateId: update.id,
    about: nameOf(update),
    subject: failure.subject,
    verdict: { tone: failure.tone, word: failure.word },
    heading: failure.heading,
    blocks: [
      ...failure.opening,
      ...restoreLink(news),
      ...whatWentWrong(news),
      versions(update, failure.labels),
      ...stepsPassage(update),
      ...backupPassage(news.backup),
      ...section('Kept', ...(news.kept ?? []).map(paragraph)),
      ...whatHappensNext(news),
    ],
    page: news.page,
  });
}

/** Data that may have been written to since the backup is never overwritten automatically. */
function restoreLink({ restoreUrl }: FailedNews): Block[] {
  if (!restoreUrl) return [];
  return [
    paragraph(
      'The link opens a page that shows what would be restored and asks for confirmation. Opening it never changes anything.',
    ),
    { type: 'link', label: 'Review and restore the data', url: restoreUrl, button: true },
  ];
}

function whatWentWrong({ update }: EndNews): Block[] {
  const step = failedStep(update);
  const error = splitDetail(causeOf(update));
  const facts = [
    ...(step === null ? [] : [{ label: 'Failed step', value: stepTitle(step.name) }]),
    ...(update.error === null ? [] : [{ label: 'Error', value: update.error.code }]),
  ];
  const said = machineSaid(error.output.length > 0 ? error.output : splitDetail(step?.detail ?? '').output);
  return section(
    'What went wrong',
    paragraph(error.sentence),
    facts.length === 0 ? null : { type: 'facts', facts },
    ...said,
  );
}

function whatHappensNext(news: FailedNews): Block[] {
  const name = nameOf(news.update);
  if (isGone(news.update))
    return section('What happens next', paragraph(`When ${name} exists again, its updates are offered as usual.`));
  const next = news.quarantined
    ? `diun-pilot does not retry this digest on ${name} automatically; the next digest is handled as usual. ` +
      `${news.update.status === 'rollback_failed' ? `When ${name} is running again and the cause is fixed` : 'When the cause is fixed'}, you can retry the same digest with "Try it again" on the operator page, or on the host:`
    : `The failure was not caused by the image. ${whenAgain(news)}`;
  return [
    ...section('What happens next', paragraph(next), { type: 'commands', lines: [requestCommand(news.update)] }),
    ...composeFile(news),
  ];
}

/** As decisions/reconcile does it. */
function whenAgain({ update, reconciles = true }: FailedNews): string {
  if (update.error !== null && NEEDS_A_CHANGE.includes(update.error.code))
    return `The update would fail in the same way again, so diun-pilot does not retry it for ${formatTimeout(RESTS_EXPIRED_MS)}. Fix the cause, then request the update:`;
  if (isOtherTag(update) && !isTagRetried(update))
    return 'You requested this tag, so diun-pilot does not retry it automatically. To retry:';
  if (!reconciles)
    return 'Registry checks are off (PILOT_RECONCILE_SCHEDULE), so diun-pilot does not retry it automatically. To retry:';
  return `A registry check (reconcile) finds the update again, ${formatTimeout(RESTS_FAILED_MS)} after the failure at the earliest. To retry now:`;
}

function composeFile({ update }: EndNews): Block[] {
  if (!isOtherTag(update) || update.kind === 'service') return [];
  // It had succeeded, and its tag could not be written back (updates/new-tag/keep-tag).
  if (update.status === 'rolled_back' && update.followUp !== null)
    return section(
      'The compose file',
      important(`The compose file still names the version that failed. ${update.followUp}`),
    );
  return section(
    'The compose file',
    paragraph('Do not change the compose file: it still names the version from before the update.'),
    update.followUp === null ? null : paragraph(`Only after the new version is running: ${update.followUp}`),
  );
}
