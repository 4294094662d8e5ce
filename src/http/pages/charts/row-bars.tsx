import type { JSX } from 'preact';
import type { Verdict } from '../../../domain/update';
import { Label, round, short, WIDTH } from './figure';
import { VerdictMark } from './verdict-mark';

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
