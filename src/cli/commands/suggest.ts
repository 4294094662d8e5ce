import type { Container } from '../../domain/container';
import { PilotError } from '../../domain/errors';
import { labelLines, suggestionsFor, type Suggestion } from '../../domain/labels/suggest-labels';
import type { CliContext } from '../context';
import { asJson, oneLine } from '../text';
import { withApp } from '../with-app';

/** Prints the labels to paste for each container that is not watched, with the reason of each. Changes nothing. */
export function suggestCommand(
  context: CliContext,
  { project, json }: { project: string | undefined; json: boolean },
): Promise<number> {
  return withApp(context, { json, generateSecrets: false }, async (app) => {
    const all = await app.containers();
    const containers = project === undefined ? all : ofProject(all, project);
    const suggestions = suggestionsFor(containers);
    const watched = containers.filter(({ labels }) => labels.watched).map(({ name }) => name);
    context.stdout.write(json ? asJson({ suggestions, watched }) : asText(suggestions, watched));
    return 0;
  });
}

function ofProject(all: readonly Container[], name: string): Container[] {
  const found = all.filter(({ project }) => project === name);
  if (found.length > 0) return found;
  const others = [...new Set(all.flatMap(({ project }) => project ?? []))].sort();
  const known = others.length === 0 ? 'No container here has one.' : `Projects here: ${others.join(', ')}.`;
  throw new PilotError('container_not_found', `No container of the compose project ${name}. ${known}`);
}

const HOW_TO_APPLY =
  'Add the labels to the service in its compose file, then run `docker compose up -d` in its folder and `diun-pilot check`.';

function asText(suggestions: readonly Suggestion[], watched: readonly string[]): string {
  const already = watched.length === 0 ? [] : [oneLine(`Already watched: ${watched.join(', ')}`)];
  const none = suggestions.length === 0 ? ['No container is left to suggest labels for.'] : [];
  const how = suggestions.some(({ labels }) => labels.length > 0) ? [HOW_TO_APPLY] : [];
  return `${[...suggestions.map(textOf), ...none, ...already, ...how].join('\n\n')}\n`;
}

function textOf(suggestion: Suggestion): string {
  const { labels, notes } = suggestion;
  return [
    titleOf(suggestion),
    ...(labels.length === 0 ? [] : labelLines(suggestion).map((line) => `    ${line}`)),
    ...labels.map(({ name, reason }) => `  - ${oneLine(`${name}: ${reason}.`)}`),
    ...notes.map((note) => `  - ${oneLine(note)}`),
  ].join('\n');
}

function titleOf({ container, project, service, image }: Suggestion): string {
  const where = project === null ? 'not of a compose project' : `service ${service ?? '?'} of project ${project}`;
  return oneLine(`${container} (${image}, ${where})`);
}
