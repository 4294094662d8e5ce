import { formatTime } from '../../../domain/format';
import type { JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Containers that are retained after their update, all stopped, with the time of their removal. */
export function KeptContainers({ kept }: Pick<OperatorData, 'kept'>): JSX.Element | null {
  if (kept.length === 0) return null;
  return (
    <section aria-labelledby="kept">
      <h2 id="kept">Retained containers</h2>
      <Table
        caption="Stopped containers that are retained after their update"
        columns={['Container', 'Status', 'Removal', 'Why']}
        rows={kept.map(({ name, reason, leftover, keepUntil }) => [
          oneLine(name),
          <span class={`badge ${leftover ? 'alarm' : 'good'}`}>{leftover ? 'Left over' : 'Retained'}</span>,
          formatTime(keepUntil),
          oneLine(reason, 1000),
        ])}
        empty=""
        first={kept.length}
        rest="retained"
      />
    </section>
  );
}
