import type { JSX } from 'preact';
import type { ImageAt, Update } from '../../../domain/update';
import { oneLine } from '../../../notifications/letter/clean';
import { inWords, toneOf } from '../words';

export function Status({ update: { status } }: { update: Update }): JSX.Element {
  return <span class={`badge ${toneOf(status)}`}>{inWords(status)}</span>;
}

export function UpdateLink({ update, text }: { update: Update; text: string }): JSX.Element {
  return (
    <a href={`/updates/${encodeURIComponent(update.id)}`}>
      {text}
      <span class="unseen">: update of {oneLine(update.container ?? update.to.reference)}</span>
    </a>
  );
}

/** Tag and the begin of the digest: enough to tell two apart; the update's page has all of it. A tag that stays is said once. */
export function Versions({ update: { from, to } }: { update: Update }): JSX.Element {
  if (from?.digest && to.digest && from.reference === to.reference) {
    return (
      <p>
        {oneLine(to.reference)}: {begin(from.digest)} → {begin(to.digest)}
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

function begin(digest: string): string {
  return oneLine(digest.replace('sha256:', '').slice(0, 12));
}
