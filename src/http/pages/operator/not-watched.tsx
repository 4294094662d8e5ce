import type { JSX } from 'preact';
import { labelLines, type Suggestion } from '../../../domain/labels/suggest-labels';
import { oneLine } from '../../../notifications/letter/clean';
import type { OperatorData } from './operator-data';
import { Table } from './table';

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
