import type { JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';
import { ago } from '../words';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Containers that lost a shared network: those that need the operator, and those re-attached automatically. Empty without any. */
export function Incidents({ lost, incidents, now }: OperatorData): JSX.Element | null {
  if (!hasIncidents({ lost, incidents })) return null;
  const open = lost.map(({ subject, since, words }) => ({ container: subject, at: since, words, needed: true }));
  const repaired = incidents.map((incident) => ({ ...incident, needed: false }));
  return (
    <section aria-labelledby="incidents">
      <h2 id="incidents">Lost networks</h2>
      <Table
        caption="Containers that lost their network"
        columns={['Container', 'Status', 'When', 'What']}
        rows={[...open, ...repaired].map(({ container, at, words, needed }) => [
          oneLine(container),
          <span class={`badge ${needed ? 'alarm' : 'good'}`}>{needed ? 'Action required' : 'Repaired'}</span>,
          ago(at, now),
          oneLine(words, 400),
        ])}
        empty=""
        first={Math.max(1, lost.length)}
        rest="repaired earlier"
      />
    </section>
  );
}

export function hasIncidents({ lost, incidents }: Pick<OperatorData, 'lost' | 'incidents'>): boolean {
  return lost.length + incidents.length > 0;
}
