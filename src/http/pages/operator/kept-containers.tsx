import type { JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';
import { utc } from '../../../notifications/letter/words';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Containers that still exist after the end of their update, all stopped, with the time at which each is removed. */
export function KeptContainers({ kept }: Pick<OperatorData, 'kept'>): JSX.Element | null {
  if (kept.length === 0) return null;
  return (
    <section aria-labelledby="kept">
      <h2 id="kept">Kept containers</h2>
      <Table
        caption="Stopped containers that outlived their update"
        columns={['Container', 'Status', 'Removal', 'Why']}
        rows={kept.map(({ name, reason, leftover, keepUntil }) => [
          oneLine(name),
          <span class={`badge ${leftover ? 'alarm' : 'good'}`}>{leftover ? 'Left over' : 'Kept'}</span>,
          utc(keepUntil),
          oneLine(reason, 400),
        ])}
        empty=""
        first={kept.length}
        rest="kept"
      />
    </section>
  );
}
