import { randomBytes } from 'node:crypto';
import { FIND_GROUP, firstCompose } from '../../domain/compose/first-compose-file';
import type { Container } from '../../domain/container';
import { PilotError } from '../../domain/errors';
import { labelLines, suggestionsFor, type Suggestion } from '../../domain/labels/suggest-labels';
import { printError, withApp, type CliContext } from '../with-app';
import { asJson, oneLine } from '../text';

/**
 * Prints the compose file of a first installation on standard output, and what to do with it on standard error. Reads no
 * settings, opens no database and writes no file.
 */
export function initCommand(context: CliContext, { json, diun }: { json: boolean; diun: boolean }): number {
  try {
    const socket = context.dockerSocket();
    const secrets = { webhookToken: secret(), apiToken: secret(), approvalSecret: secret() };
    const compose = firstCompose({ diun, secrets, socket });
    context.stdout.write(json ? asJson({ compose, socketGroup: socket.group }) : compose);
    context.stderr.write('This compose file contains secrets: store it with mode 600 (chmod 600 compose.yaml).\n');
    if (socket.group === null) {
      context.stderr.write(
        `The group of the Docker socket is not known here, because ${socket.path} is not mounted. Before the start, run on the Docker host, next to the file: ${FIND_GROUP}\n`,
      );
    }
    return 0;
  } catch (error) {
    return printError(context, error, json);
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

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
  const known =
    others.length === 0 ? 'No container here belongs to a compose project.' : `Projects here: ${others.join(', ')}.`;
  throw new PilotError('container_not_found', `No container of the compose project ${name}. ${known}`);
}

const HOW_TO_APPLY =
  'Add the labels to the service in its compose file, then run `docker compose up -d` in its folder and `diun-pilot check`.';

function asText(suggestions: readonly Suggestion[], watched: readonly string[]): string {
  const already = watched.length === 0 ? [] : [oneLine(`Already watched: ${watched.join(', ')}`)];
  const none = suggestions.length === 0 ? ['No container is left to suggest labels for.'] : [];
  const how = suggestions.some(({ labels }) => labels.length > 0) ? [HOW_TO_APPLY] : [];
  return `${[...suggestions.map(suggestionText), ...none, ...already, ...how].join('\n\n')}\n`;
}

function suggestionText(suggestion: Suggestion): string {
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
