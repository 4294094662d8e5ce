import type { JSX } from 'preact';
import type { ImageAt, Update } from '../../../domain/update';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { stepTitle } from '../../../notifications/letter/words';
import { inWords, toneOf } from '../words';

export function Status({ update: { status } }: { update: Update }): JSX.Element {
  return <span class={`badge ${toneOf(status)}`}>{inWords(status)}</span>;
}

/** The step that runs, with how far it is. */
export function Doing({ update: { status, steps } }: { update: Update }): JSX.Element {
  const step = steps.find((each) => each.status === 'running');
  if (step === undefined) return <>{status === 'queued' ? 'starts as soon as nothing else runs' : 'begins'}</>;
  const far = splitDetail(step.detail ?? '').sentence;
  return (
    <>
      {stepTitle(step.name)}
      {far === '' ? '' : `: ${oneLine(far, 200)}`}
    </>
  );
}

interface ToUpdate {
  update: Update;
  text: string;
  /** For who hears the link without seeing its row. */
  unseen?: string;
}

export function UpdateLink({ update, text, unseen }: ToUpdate): JSX.Element {
  return (
    <a href={`/updates/${encodeURIComponent(update.id)}`}>
      {text}
      <span class="unseen">{unseen ?? `: update of ${oneLine(update.container ?? update.to.reference)}`}</span>
    </a>
  );
}

/** Tag and the begin of the digest: enough to tell two apart; the update's page has all of it. A tag that stays is said once. */
export function Versions({ update: { from, to } }: { update: Update }): JSX.Element {
  if (from?.digest && to.digest && from.reference === to.reference) {
    return (
      <p>
        {oneLine(to.reference)} ({begin(from.digest)} → {begin(to.digest)})
      </p>
    );
  }
  return (
    <p>
      {from === null ? null : <>{short(from)} → </>}
      {short(to)}
    </p>
  );
}

function short({ reference, digest }: ImageAt): string {
  return `${oneLine(reference)}${digest === null ? '' : ` (${begin(digest)})`}`;
}

/** Enough of a digest to tell it from another. */
export function begin(digest: string): string {
  return oneLine(digest.replace('sha256:', '').slice(0, 12));
}
