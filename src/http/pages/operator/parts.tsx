import { shortDigest } from '../../../domain/format';
import type { JSX } from 'preact';
import { NOT_STARTED } from '../../../domain/mode';
import type { ImageAt, Update } from '../../../domain/update';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { stepTitle } from '../../../notifications/letter/words';
import { codeAsText, toneOf } from '../words';

export function Status({ update: { status } }: { update: Update }): JSX.Element {
  return <span class={`badge ${toneOf(status)}`}>{codeAsText(status)}</span>;
}

/** The running step, with its progress. */
export function Doing({ update: { status, steps, reason } }: { update: Update }): JSX.Element {
  const step = steps.find((each) => each.status === 'running');
  if (status === 'queued' && reason.includes(NOT_STARTED)) return <>not started while diun-pilot observes</>;
  if (step === undefined) return <>{status === 'queued' ? 'starts when the current work is finished' : 'starting'}</>;
  const progress = splitDetail(step.detail ?? '').sentence;
  return (
    <>
      {stepTitle(step.name)}
      {progress === '' ? '' : `: ${oneLine(progress, 200)}`}
    </>
  );
}

interface ToUpdate {
  update: Update;
  text: string;
  /** For a screen reader, which reads the link without its row. */
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

/** Tag and short digest; the update's page has the whole digest. A tag that stays is shown once. */
export function Versions({ update: { from, to } }: { update: Update }): JSX.Element {
  if (from?.digest && to.digest && from.reference === to.reference) {
    return (
      <p>
        {oneLine(to.reference)} ({oneLine(shortDigest(from.digest))} → {oneLine(shortDigest(to.digest))})
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
  return `${oneLine(reference)}${digest === null ? '' : ` (${oneLine(shortDigest(digest))})`}`;
}
