import type { ComponentChildren, JSX } from 'preact';
import { formatDay, formatDuration, formatMinute, plural } from '../../../domain/format';
import type { PastUpdate, Verdict } from '../../../domain/update';
import { oneLine } from '../../../notifications/letter/clean';
import { Table } from '../operator/table';
import { Figure, Label, round, short, VERDICT_WORDS, VerdictLegend, VerdictMark, WIDTH } from './figure';

const MOST_LANES = 8;
const LANE = 34;
const FOOT = 16;
const MARGIN = 8;
const LONGEST_LABEL = 46;

/** The newest updates on a line for each container, with their verdicts; nothing without any. */
export function UpdateTimeline({ past, now }: { past: readonly PastUpdate[]; now: Date }): JSX.Element | null {
  const lanes = lanesOf(past).slice(0, MOST_LANES);
  const shown = lanes.flatMap(({ updates }) => updates);
  if (shown.length === 0) return null;
  const begin = Math.min(...shown.map(({ finishedAt }) => Date.parse(finishedAt)));
  const span = Math.max(1, now.getTime() - begin);
  const place = (at: string): number =>
    round(MARGIN + Math.min(1, Math.max(0, (Date.parse(at) - begin) / span)) * (WIDTH - 2 * MARGIN));
  const first = formatDay(new Date(begin).toISOString());
  const height = lanes.length * LANE + FOOT;
  return (
    <Figure
      id="chart-updates"
      title="Updates and their verdicts"
      description={describe(shown, lanes.length, first)}
      height={height}
      legend={<VerdictLegend used={new Set(shown.map(({ status }) => status))} />}
      numbers={<Numbers updates={shown} />}
    >
      {lanes.map(({ container, updates }, index) => (
        <g>
          <Label x={0} y={index * LANE + 12} text={short(container, LONGEST_LABEL)} />
          <path class="line" d={`M0 ${index * LANE + 23}h${WIDTH}`} />
          {updates.map(({ status, finishedAt }) => (
            <VerdictMark status={status} x={place(finishedAt)} y={index * LANE + 23} />
          ))}
        </g>
      ))}
      <Label x={0} y={height - 2} text={first} soft />
      <Label x={WIDTH} y={height - 2} text="now" end soft />
    </Figure>
  );
}

interface Lane {
  container: string;
  /** Oldest first, the worse of two at one place on top. */
  updates: PastUpdate[];
}

/** In the order of their newest update. */
function lanesOf(past: readonly PastUpdate[]): Lane[] {
  const lanes = new Map<string, PastUpdate[]>();
  for (const update of past) lanes.set(update.container, [update, ...(lanes.get(update.container) ?? [])]);
  return [...lanes.entries()].map(([container, updates]) => ({
    container,
    updates: updates.sort((a, b) => Number(a.status !== 'succeeded') - Number(b.status !== 'succeeded')),
  }));
}

function describe(shown: readonly PastUpdate[], containers: number, since: string): string {
  const counts = (Object.keys(VERDICT_WORDS) as Verdict[])
    .map((status) => ({ status, count: shown.filter((update) => update.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${VERDICT_WORDS[status]}`);
  const of = `${plural(shown.length, 'update')} of ${plural(containers, 'container')} since ${since}`;
  return `${of}: ${counts.join('; ')}.`;
}

function Numbers({ updates }: { updates: PastUpdate[] }): JSX.Element {
  const newestFirst = [...updates].sort((a, b) => b.finishedAt.localeCompare(a.finishedAt));
  return (
    <Table
      caption="Updates, their verdicts and downtimes"
      columns={['Container', 'Status', 'When', 'Downtime']}
      rows={newestFirst.map(({ container, status, finishedAt, awaySeconds }): ComponentChildren[] => [
        oneLine(container),
        VERDICT_WORDS[status],
        formatMinute(finishedAt),
        awaySeconds === null ? null : formatDuration(awaySeconds * 1000),
      ])}
      empty=""
    />
  );
}
