import type { ComponentChildren, JSX } from 'preact';
import type { Container } from '../../../domain/container';
import { labelLines, type Suggestion } from '../../../domain/labels/suggest-labels';
import { oneLine } from '../../../notifications/letter/clean';
import { ago } from '../words';
import type { OperatorData, Seen } from './operator-data';
import { Status, Table, UpdateLink } from './table';

const IN_SIGHT = 8;

/** The watched containers, their policy, and invalid labels. Containers with a problem come first. */
export function Watched({ containers, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="watched">
      <h2 id="watched">Watched containers</h2>
      {containers === null ? (
        <p class="important">
          The Docker Engine does not answer, so the containers cannot be shown. Webhooks are stored until it is back.
        </p>
      ) : (
        <Table
          caption="Watched containers, the policy of each and its last decision"
          columns={['Container', 'State', 'Image', 'Policy', 'Last check']}
          rows={[...containers.filter(needsAttention), ...containers.filter((seen) => !needsAttention(seen))].map(
            (seen) => rowOf(seen, now),
          )}
          empty="No container is watched: add the label diun.enable=true to the containers to watch, and re-create them."
          first={Math.max(IN_SIGHT, containers.filter(needsAttention).length)}
          rest="more without problems"
        />
      )}
    </section>
  );
}

/** Invalid labels, stopped, or left without a working version by an update. */
export function needsAttention({ container, brokenBy }: Seen): boolean {
  return container.labels.problems.length > 0 || !container.running || brokenBy !== null;
}

function rowOf({ container, latest }: Seen, now: Date): ComponentChildren[] {
  const { name, reference, project, labels, running, swarm } = container;
  return [
    <>
      <strong>{oneLine(name)}</strong>
      {project === null ? null : (
        <p class="small">
          {swarm ? 'service of stack' : 'project'} {oneLine(project)}
        </p>
      )}
      <Problems container={container} />
    </>,
    running ? 'running' : <span class="badge attention">Stopped</span>,
    oneLine(reference),
    <>
      {policyText(labels)}
      <span class="small">, {labels.backup === null ? 'no backup' : `backup: ${labels.backup.kind}`}</span>
    </>,
    latest === null ? (
      'No updates yet'
    ) : (
      <>
        <Status update={latest} /> <UpdateLink update={latest} text={ago(latest.createdAt, now)} />
      </>
    ),
  ];
}

function policyText({ watched, policy, allow }: Container['labels']): string {
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

/** Containers that nothing changes, folded, each with the labels to paste and their reasons. */
export function NotWatched({ notWatched }: OperatorData): JSX.Element | null {
  if (notWatched.length === 0) return null;
  return (
    <section aria-labelledby="not-watched">
      <h2 id="not-watched">Not watched</h2>
      <p>diun-pilot never updates these containers. Add labels to watch one, then re-create it with Compose.</p>
      <details class="folded">
        <summary>
          {notWatched.length} {notWatched.length === 1 ? 'container' : 'containers'}
        </summary>
        <Table
          caption="Containers that are not watched, and the labels to add"
          columns={['Container', 'Labels to add', 'Reasons']}
          rows={notWatched.map((suggestion) => [
            <Name suggestion={suggestion} />,
            <Labels suggestion={suggestion} />,
            <Reasons suggestion={suggestion} />,
          ])}
          empty="None."
        />
      </details>
    </section>
  );
}

interface Of {
  suggestion: Suggestion;
}

function Name({ suggestion: { container, project, service, image } }: Of): JSX.Element {
  return (
    <>
      <strong>{oneLine(container)}</strong>
      {project === null ? null : (
        <p class="small">
          {service === null ? '' : `service ${oneLine(service)}, `}project {oneLine(project)}
        </p>
      )}
      <p class="small">{oneLine(image)}</p>
    </>
  );
}

function Labels({ suggestion }: Of): JSX.Element {
  if (suggestion.labels.length === 0) return <>none</>;
  // Printable already, and blanks count.
  return <pre>{labelLines(suggestion).join('\n')}</pre>;
}

function Reasons({ suggestion: { labels, notes } }: Of): JSX.Element {
  return (
    <ul>
      {labels.map(({ name, reason }) => (
        <li>
          {name}: {oneLine(reason, 1000)}.
        </li>
      ))}
      {notes.map((note) => (
        <li>{oneLine(note, 1000)}</li>
      ))}
    </ul>
  );
}
