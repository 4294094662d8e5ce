import type { JSX } from 'preact';
import { formatDay, formatDuration } from '../../../domain/format';
import { splitReference } from '../../../domain/images/image-reference';
import type { PastUpdate } from '../../../domain/update';
import { Figure, heightOf, RowBars, VERDICT_WORDS, VerdictLegend, type RowBar } from './figure';

const MOST = 8;

interface Props {
  past: readonly PastUpdate[];
  title: string;
  /** All are of one container, so that each is named by its version and day. */
  ofOne?: boolean;
}

/** How long each of the newest updates kept its users waiting; nothing without any that was measured. */
export function Downtimes({ past, title, ofOne = false }: Props): JSX.Element | null {
  const measured = past
    .flatMap((update) => (update.awaySeconds === null ? [] : [{ ...update, away: update.awaySeconds }]))
    .slice(0, MOST);
  if (measured.length === 0) return null;
  const longest = Math.max(...measured.map(({ away }) => away), 1);
  const rows = measured.map((update): RowBar => ({
    label: ofOne ? `${versionOf(update)}, ${formatDay(update.finishedAt)}` : `${update.container} ${versionOf(update)}`,
    value: update.away === 0 ? 'none' : formatDuration(update.away * 1000),
    share: update.away / longest,
    tone: update.status === 'succeeded' ? 'notice' : 'attention',
    verdict: update.status,
  }));
  return (
    <Figure
      id="chart-downtimes"
      title={title}
      description={measured
        .map(({ status }, at) => `${rows[at]?.label}: ${rows[at]?.value}, ${VERDICT_WORDS[status]}.`)
        .join(' ')}
      height={heightOf(rows)}
      legend={<VerdictLegend used={new Set(measured.map(({ status }) => status))} />}
    >
      <RowBars rows={rows} />
    </Figure>
  );
}

function versionOf({ reference }: PastUpdate): string {
  const { tag, digest } = splitReference(reference);
  return tag ?? digest?.slice(0, 15) ?? 'latest';
}
