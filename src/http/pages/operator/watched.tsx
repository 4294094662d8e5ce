import type { ComponentChildren, JSX } from 'preact';
import type { Container } from '../../../domain/container';
import { oneLine } from '../../../notifications/letter/clean';
import { ago } from '../words';
import type { OperatorData, Seen } from './operator-data';
import { Status, UpdateLink } from './parts';
import { Table } from './table';

const IN_SIGHT = 8;

/** What Diun watches, how it is treated, and labels that nobody can obey. Those that ask for a look come first. */
export function Watched({ containers, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="watched">
      <h2 id="watched">Watched containers</h2>
      {containers === null ? (
        <p class="important">
          No Docker Engine answers, so what is watched cannot be shown. Webhooks are kept until it is back.
        </p>
      ) : (
        <Table
          caption="Watched containers, how each is treated and what was last decided about it"
          columns={['Container', 'State', 'Image', 'Policy', 'Last check']}
          rows={[...containers.filter(wantsALook), ...containers.filter((seen) => !wantsALook(seen))].map((seen) =>
            rowOf(seen, now),
          )}
          empty="No container is watched: label those that should be with diun.enable=true, and create them again."
          first={Math.max(IN_SIGHT, containers.filter(wantsALook).length)}
          rest="more, with nothing to look at"
        />
      )}
    </section>
  );
}

/** Labelled wrongly, stopped, or left by an update that brought no version back. */
export function wantsALook({ container, latest }: Seen): boolean {
  return container.labels.problems.length > 0 || !container.running || latest?.status === 'rollback_failed';
}

function rowOf({ container, latest }: Seen, now: Date): ComponentChildren[] {
  const { name, reference, project, labels, running } = container;
  return [
    <>
      <strong>{oneLine(name)}</strong>
      {project === null ? null : <p class="small">project {oneLine(project)}</p>}
      <Problems container={container} />
    </>,
    running ? 'runs' : <span class="badge attention">Stopped</span>,
    oneLine(reference),
    <>
      {policyInWords(labels)}
      <span class="small">, {labels.backup === null ? 'no backup' : `backup: ${labels.backup.kind}`}</span>
    </>,
    latest === null ? (
      'nothing was heard of it yet'
    ) : (
      <>
        <Status update={latest} /> <UpdateLink update={latest} text={ago(latest.createdAt, now)} />
      </>
    ),
  ];
}

function policyInWords({ watched, policy, allow }: Container['labels']): string {
  if (!watched) return 'not watched';
  return policy === 'automatic' ? `automatic, up to ${allow}` : policy;
}

function Problems({ container }: { container: Container }): JSX.Element | null {
  const { problems } = container.labels;
  if (problems.length === 0) return null;
  return (
    <ul class="problems">
      {problems.map(({ label, value, message }) => (
        <li>
          <strong>Label {oneLine(label, 200)}</strong> ({oneLine(value, 200)}): {oneLine(message)}
        </li>
      ))}
    </ul>
  );
}
