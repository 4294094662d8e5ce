import { isOpen } from '../../domain/update';
import { soakOf, toJson } from '../../http/server';
import { cliUser } from '../cli-user';
import type { CliContext } from '../context';
import { follow } from '../follow';
import { liveOutput, silentOutput, type LiveOutput } from '../live-output';
import { isSuccess, newsOf, progressOf, verdictOf } from '../update-words';
import type { App } from '../../app';
import type { Update } from '../../domain/update';
import { withApp } from '../with-app';
import { asJson } from '../text';

export interface UpdateArguments {
  container: string;
  image?: string;
  json: boolean;
}

/** Requests an update and follows it to its end; 0 only when the container runs the requested version. */
export function updateCommand(context: CliContext, { container, image, json }: UpdateArguments): Promise<number> {
  const output = json ? silentOutput : liveOutput(context.stdout);
  return withApp(context, { json }, async (app, signal) => {
    const asked = await app.requestUpdate({ container, ...(image === undefined ? {} : { image }) }, cliUser());
    return followToVerdict({ app, context, json, output, signal }, asked);
  });
}

export interface Following {
  app: App;
  context: CliContext;
  json: boolean;
  output: LiveOutput;
  signal: AbortSignal;
}

/** Shows each step until the update has its end, and resolves with the exit code of its verdict. */
export async function followToVerdict(
  { app, context, json, output, signal }: Following,
  asked: Update,
): Promise<number> {
  if (isUnderWay(asked)) output.line(asked.reason);
  const ended = isUnderWay(asked) ? await followUpdate(app, asked.id, output, signal) : asked;
  if (json) context.stdout.write(asJson(withBackup(app, ended)));
  for (const words of verdictOf(ended)) output.line(words);
  return isSuccess(ended) ? 0 : 1;
}

function followUpdate(app: App, id: string, output: LiveOutput, signal: AbortSignal): Promise<Update> {
  const look = (): Update => app.store.updates.get(id) as Update;
  const changed = (before: Update | null, now: Update): void => {
    for (const { kind, words } of newsOf(before, now)) output[kind === 'began' ? 'started' : 'line'](words);
    const progress = progressOf(now);
    if (progress !== null) output.progress(progress);
  };
  return follow(app, { look, isOver: (now) => !isUnderWay(now), changed }, signal);
}

/** An update that is pending approval ends here: this command does not approve it. */
function isUnderWay({ status }: Update): boolean {
  return isOpen(status) && status !== 'awaiting_approval';
}

function withBackup(app: App, update: Update): ReturnType<typeof toJson> {
  const backup = update.backupId === null ? null : app.store.backups.get(update.backupId);
  return toJson(update, backup, app.store.rehearsals.of(update.id), soakOf(app.store, update.id));
}
