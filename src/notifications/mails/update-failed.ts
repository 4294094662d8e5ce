import type { DataChange } from '../../domain/data-fingerprint';
import type { RenderedMail } from '../rendered-mail';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { stepTitle } from '../letter/words';
import { causeOf, failedStep, failureText } from './failure';
import { backupPassage, isOtherTag, nameOf, startCommands, stepsPassage, versions, type UpdateNews } from './passages';

/** `quarantined`: this digest is not tried on this container again by itself. */
export interface FailedNews extends UpdateNews {
  quarantined: boolean;
  /** The old container was never stopped: a handover failed beside it. */
  servedOn?: boolean;
  /** What the new version changed in the databases of its set; null: nothing is known of any. */
  dataChange?: DataChange | null;
  /** The signed link that restores the data from before the update, for a rollback that failed; null: there is none. */
  restoreUrl?: string | null;
}

/**
 * Says truthfully which of the three ends it was: `failed`, `rolled_back` or `rollback_failed`. Throws when the
 * update has none of these states: there is no true text for it.
 */
export function updateFailed(news: FailedNews): RenderedMail {
  const { update } = news;
  const told = failureText(update, news.backup, news);
  return renderLetter({
    kind: 'update_failed',
    updateId: update.id,
    about: nameOf(update),
    subject: told.subject,
    verdict: { tone: told.tone, word: told.word },
    heading: told.heading,
    blocks: [
      ...told.opening,
      ...restoreLink(news),
      ...whatWentWrong(news),
      versions(news, told.labels),
      ...stepsPassage(update),
      ...backupPassage(news),
      ...whatHappensNext(news),
    ],
    page: news.page,
  });
}

/** Nothing is put over data by itself that somebody may have written to since. */
function restoreLink({ restoreUrl }: FailedNews): Block[] {
  if (!restoreUrl) return [];
  return [
    paragraph(
      'The link opens a page that shows what would be restored and asks for confirmation. Opening it never changes anything:',
    ),
    { type: 'link', label: 'Look at it and restore the data', url: restoreUrl, button: true },
  ];
}

function whatWentWrong({ update }: UpdateNews): Block[] {
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
  const next = news.quarantined
    ? `diun-pilot does not try this digest on ${name} again by itself; the next one is handled as usual. ` +
      `${news.update.status === 'rollback_failed' ? 'Once it serves again and' : 'When'} the cause is mended, you can try the same one again, by "Try it again" on the operator page or on the host:`
    : 'It was not the image that failed, so diun-pilot comes back to this update by itself when it next compares ' +
      'what runs with the registry (reconcile). To try again at once:';
  return [...section('What happens next', paragraph(next)), ...startCommands(news), ...composeFile(news)];
}

function composeFile({ update, plan }: UpdateNews): Block[] {
  if (!isOtherTag(update)) return [];
  const later = update.followUp ?? plan?.followUp ?? null;
  return section(
    'The compose file',
    paragraph('Leave it as it is: it still names the version from before the update.'),
    later === null ? null : paragraph(`Only once the new version runs: ${later}`),
  );
}
