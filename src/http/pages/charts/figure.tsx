import type { ComponentChildren, JSX } from 'preact';
import type { Verdict } from '../../../domain/update';
import { oneLine } from '../../../notifications/letter/clean';

/** Of all pictures, in their own units: as wide as a phone, so that their text has the size of a page's small text. */
export const WIDTH = 340;

interface Props {
  /** Unique on the page, and never from outside. */
  id: string;
  title: string;
  /** Everything that the picture shows, as sentences. */
  description: string;
  height: number;
  children: ComponentChildren;
  /** Explains its marks. */
  legend?: ComponentChildren;
  /** The numbers as a table, folded. */
  numbers?: ComponentChildren;
}

/** A picture without script: inline SVG with a title and a description, and the numbers to open. */
export function Figure({ id, title, description, height, children, legend, numbers }: Props): JSX.Element {
  return (
    <figure class="chart">
      <figcaption>{oneLine(title)}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-labelledby={`${id}-title ${id}-text`}>
        <title id={`${id}-title`}>{oneLine(title)}</title>
        <desc id={`${id}-text`}>{oneLine(description)}</desc>
        {children}
      </svg>
      {legend === undefined ? null : <p class="legend">{legend}</p>}
      {numbers === undefined ? null : (
        <details>
          <summary>
            The numbers<span class="unseen"> of {oneLine(title)}</span>
          </summary>
          {numbers}
        </details>
      )}
    </figure>
  );
}

interface LabelProps {
  x: number;
  y: number;
  text: string;
  end?: boolean;
  soft?: boolean;
}

export function Label({ x, y, text, end, soft }: LabelProps): JSX.Element {
  return (
    <text x={x} y={y} class={soft === true ? 'soft' : undefined} text-anchor={end === true ? 'end' : undefined}>
      {text}
    </text>
  );
}

/** As much of a name as has room. */
export function short(text: string, longest: number): string {
  return oneLine(text, longest);
}

/** Of a coordinate: a tenth is finer than a screen. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export interface RowBar {
  label: string;
  /** Said next to the bar. */
  value: string;
  /** Of the whole width, 0 to 1. */
  share: number;
  tone: 'good' | 'notice' | 'attention' | 'alarm';
  /** Where the bar has a line across, 0 to 1. */
  tick?: number;
  verdict?: Verdict;
}

const ROW = 34;
const LONGEST_LABEL = 30;

export function heightOf(rows: readonly RowBar[]): number {
  return rows.length * ROW;
}

/** One bar below each name, its value as text. */
export function RowBars({ rows }: { rows: readonly RowBar[] }): JSX.Element {
  return (
    <>
      {rows.map(({ label, value, share, tone, tick, verdict }, index) => {
        const y = index * ROW;
        return (
          <g>
            {verdict === undefined ? null : <VerdictMark status={verdict} x={7} y={y + 10} />}
            <Label x={verdict === undefined ? 0 : 18} y={y + 14} text={short(label, LONGEST_LABEL)} />
            <Label x={WIDTH} y={y + 14} text={value} end soft />
            <rect class="track" x={0} y={y + 19} width={WIDTH} height={7} rx={2} />
            <rect class={tone} x={0} y={y + 19} width={round(Math.max(1.5, share * WIDTH))} height={7} rx={2} />
            {tick === undefined ? null : <path class="tick" d={`M${round(tick * WIDTH)} ${y + 16}v13`} />}
          </g>
        );
      })}
    </>
  );
}

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
