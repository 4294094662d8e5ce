import type { JSX } from 'preact';
import type { SoakView } from '../../decisions/recovery-links';
import { formatTime } from '../../domain/format';
import type { SoakData } from '../../domain/soak/soak';
import { oneLine, splitDetail } from '../../notifications/letter/clean';
import { machineSaid } from '../../notifications/letter/letter';
import { cannotGoBack, currentDataText, lossText, soakFailureText } from '../../notifications/mails/soak';
import { backupPassage, nameOf, versions } from '../../notifications/mails/passages/passages';
import { Blocks, typeset } from './blocks';
import { NameField, NameMissed, page } from './layout';
import { messagePage } from './message-page';
import { ago } from './words';

/** Why the button did nothing. */
type Missed = 'name_needed' | 'not_offered' | null;

/** The page behind the link of a failure in the soak: what happened, and the old version. Opening it changes nothing. */
export function soakPage(view: SoakView, now: Date, missed: Missed = null): string {
  const { update, soak, backup, offered } = view;
  const name = nameOf(update);
  const { output } = splitDetail(soak.failure ?? '');
  const noWayBack = offered.length === 0;
  const heading = noWayBack ? `${name} failed during its soak` : `Run the old version of ${name} again?`;
  return page({
    title: heading,
    children: (
      <>
        {missed === 'name_needed' ? <NameMissed /> : null}
        {missed === 'not_offered' ? <NotOffered noWayBack={noWayBack} /> : null}
        <p class="badge alarm">{noWayBack ? 'Manual action required' : 'Decision required'}</p>
        <h1>{oneLine(heading)}</h1>
        <p>{typeset(soakFailureText(soak))}</p>
        {soak.schemaDetail === null ? null : <p>{typeset(soak.schemaDetail)}</p>}
        {noWayBack ? (
          <Blocks blocks={cannotGoBack(view)} />
        ) : (
          <Decide view={view} now={now} nameMissed={missed === 'name_needed'} />
        )}
        <Blocks
          blocks={[
            ...machineSaid(output),
            versions(update, { from: view.oldIsGone ? 'Before the update' : 'Kept, stopped', to: 'New version' }),
            ...backupPassage(backup),
          ]}
        />
      </>
    ),
  });
}

function NotOffered({ noWayBack }: { noWayBack: boolean }): JSX.Element {
  return (
    <div class="notice alarm" role="alert">
      <p>
        <strong>Nothing was done.</strong> The data that you chose is no longer offered.{' '}
        {noWayBack ? (
          'Nothing else can be offered.'
        ) : (
          <>
            What is offered now is below. <a href="#decide-title">Go to the choice</a>
          </>
        )}
      </p>
    </div>
  );
}

function Decide({ view, now, nameMissed }: { view: SoakView; now: Date; nameMissed: boolean }): JSX.Element {
  const { update, expiresAt, offered } = view;
  const needsName = offered.includes('backup');
  return (
    <form method="post" id="decide" class="decide" aria-labelledby="decide-title">
      <h2 id="decide-title">Decide</h2>
      <p>
        If you do nothing, the new version stays: the link expires at {typeset(formatTime(expiresAt))} (
        {ago(expiresAt, now)}), and the old container is then removed.
      </p>
      {offered.length === 1 ? <Only view={view} data={offered[0] as SoakData} now={now} /> : null}
      {offered.length > 1
        ? offered.map((data, at) => <Choice view={view} data={data} first={at === 0} now={now} />)
        : null}
      {needsName ? (
        <NameField
          container={nameOf(update)}
          to="run the old version"
          wrong={nameMissed}
          required={offered.length === 1}
        />
      ) : null}
      <div class="buttons">
        <button class={needsName ? 'grave' : undefined} name="decision" value="approve">
          Run the old version
        </button>
        <div class="decline">
          <button name="decision" value="decline" formnovalidate>
            Keep the new version
          </button>
        </div>
      </div>
    </form>
  );
}

interface Offered {
  view: SoakView;
  data: SoakData;
  now: Date;
}

function Only({ view, data, now }: Offered): JSX.Element {
  return (
    <>
      <input type="hidden" name="data" value={data} />
      <p class={data === 'backup' ? 'important' : undefined}>{typeset(runAgainText(view, data, now))}</p>
    </>
  );
}

function Choice({ view, data, first, now }: Offered & { first: boolean }): JSX.Element {
  return (
    <p>
      <label class="choice">
        <input type="radio" name="data" value={data} checked={first} />
        <span>{typeset(runAgainText(view, data, now))}</span>
      </label>
    </p>
  );
}

function runAgainText({ soak, backup }: SoakView, data: SoakData, now: Date): string {
  if (data === 'backup')
    return `The old version runs again with the backup from before the update. ${lossText(backup, now)}`;
  return `The old version runs again ${currentDataText(soak)}`;
}

/** The link has expired, and nothing was decided. */
export function soakExpiredPage({ update }: SoakView): string {
  const name = nameOf(update);
  return messagePage({
    ...{ tone: 'quiet', word: 'Expired', heading: `The link to run the old version of ${name} again has expired` },
    sentences: [
      'This link changed nothing.',
      `What to do now: if ${name} still fails, check its log and the operator page.`,
    ],
  });
}

export function soakDeclinedPage({ update, expiresAt }: SoakView): string {
  return messagePage({
    ...{ tone: 'quiet', word: 'Nothing done', heading: 'Nothing was changed' },
    sentences: [
      `The new version of ${nameOf(update)} stays in place.`,
      `What to do now: fix the cause of the failure. Until ${formatTime(expiresAt)}, you can still use the link.`,
    ],
  });
}
