import type { JSX } from 'preact';
import type { Verdict } from '../../../domain/update';

export const VERDICT_WORDS: Record<Verdict, string> = {
  succeeded: 'succeeded',
  failed: 'failed, nothing changed',
  rolled_back: 'rolled back',
  rollback_failed: 'manual action required',
};

/** Each verdict has a shape of its own, so that its colour is not needed: disc, ring, triangle, cross. */
export function VerdictMark({ status, x, y }: { status: Verdict; x: number; y: number }): JSX.Element {
  switch (status) {
    case 'succeeded':
      return <circle class="good" cx={x} cy={y} r={4.5} />;
    case 'failed':
      return <circle class="attention hollow" cx={x} cy={y} r={4} />;
    case 'rolled_back':
      return <path class="attention" d={`M${x - 6} ${y + 5}h12l-6 -11z`} />;
    case 'rollback_failed':
      return <path class="alarm stroke" d={`M${x - 5} ${y - 5}l10 10m0 -10l-10 10`} />;
  }
}

/** The marks that are used, with their meaning. */
export function VerdictLegend({ used }: { used: ReadonlySet<Verdict> }): JSX.Element {
  return (
    <>
      {(Object.keys(VERDICT_WORDS) as Verdict[])
        .filter((status) => used.has(status))
        .map((status) => (
          <span>
            <svg viewBox="0 0 14 14" aria-hidden="true">
              <VerdictMark status={status} x={7} y={7} />
            </svg>{' '}
            {VERDICT_WORDS[status]}
          </span>
        ))}
    </>
  );
}
