import type { App } from '../../app';
import { isUnderWay, type Rehearsal, type RehearsalEnd, VERDICT_WORDS } from '../../domain/rehearsal/rehearsal';
import { isOpen, type Update, type UpdateStatus } from '../../domain/update';
import { soakOf, updateJson } from '../../http/server';
import { cliUser, withApp, type CliContext } from '../with-app';
import { follow, liveOutput, silentOutput, type LiveOutput } from '../output';
import { asJson, atTime, isSuccess, newsOf, progressOf, table, verdictOf } from '../text';

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
async function followToVerdict({ app, context, json, output, signal }: Following, asked: Update): Promise<number> {
  if (updateIsUnderWay(asked)) output.line(asked.reason);
  const ended = updateIsUnderWay(asked) ? await followUpdate(app, asked.id, output, signal) : asked;
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
  return follow(app, { look, isOver: (now) => !updateIsUnderWay(now), changed }, signal);
}

/** An update that is pending approval ends here: this command does not approve it. */
function updateIsUnderWay({ status }: Update): boolean {
  return isOpen(status) && status !== 'awaiting_approval';
}

function withBackup(app: App, update: Update): ReturnType<typeof updateJson> {
  return updateJson(
    update,
    app.store.backups.of(update),
    app.store.rehearsals.of(update.id),
    soakOf(app.store, update.id),
  );
}

export interface UpdatesArguments {
  status?: UpdateStatus;
  container?: string;
  limit: number;
  json: boolean;
}

/** Lists updates, newest first. */
export function updatesCommand(context: CliContext, { json, ...filter }: UpdatesArguments): Promise<number> {
  return withApp(context, { json }, (app) => {
    const { updates, next } = app.store.updates.list(filter);
    if (json) {
      const all = updates.map((update) => withBackup(app, update));
      context.stdout.write(asJson({ updates: all, next }));
    } else if (updates.length === 0) {
      context.stdout.write('No updates yet.\n');
    } else {
      context.stdout.write(`${tableOf(updates, app.settings.timeZone)}\n`);
      if (next !== null) context.stdout.write(`There are older ones: --limit ${filter.limit * 2} shows more.\n`);
    }
    return Promise.resolve(0);
  });
}

function tableOf(updates: Update[], timeZone: string): string {
  const rows = updates.map((update) => [
    update.id,
    atTime(update.createdAt, timeZone),
    update.container ?? '–',
    update.to.reference,
    update.status,
    update.error?.message ?? update.reason,
  ]);
  return table(['ID', 'WHEN', 'CONTAINER', 'TO', 'STATUS', 'WHY'], rows);
}

interface DecideArguments {
  id: string;
  json: boolean;
}

/** Approves an update that waits, and follows it to its end; 0 only when it succeeded. */
export function approveCommand(context: CliContext, { id, json }: DecideArguments): Promise<number> {
  const output = json ? silentOutput : liveOutput(context.stdout);
  return withApp(context, { json }, async (app, signal) => {
    const approved = await app.decideById(id, 'approve', cliUser());
    return followToVerdict({ app, context, json, output, signal }, approved);
  });
}

/** Declines an update that waits: its digest is not offered to this container again. */
export function declineCommand(context: CliContext, { id, json }: DecideArguments): Promise<number> {
  return withApp(context, { json }, async (app) => {
    const update = await app.decideById(id, 'decline', cliUser());
    context.stdout.write(
      json ? asJson(updateJson(update, null, app.store.rehearsals.of(update.id))) : `${update.reason}\n`,
    );
    return 0;
  });
}

export interface RehearseArguments {
  id: string;
  json: boolean;
}

/** Requests a rehearsal of an update and follows it to its verdict; 0 only when it passed. */
export function rehearseCommand(context: CliContext, { id, json }: RehearseArguments): Promise<number> {
  const output = json ? silentOutput : liveOutput(context.stdout);
  return withApp(context, { json }, async (app, signal) => {
    const requested = app.requestRehearsal(id);
    const look = (): Rehearsal => app.store.rehearsals.get(requested.id) as Rehearsal;
    const changed = (_before: Rehearsal | null, { status, detail }: Rehearsal): void => {
      if (status === 'queued') output.progress('waiting until nothing else runs …');
      if (status === 'running' && detail !== null) output.progress(`rehearsal … ${detail}`);
    };
    const ended = await follow(app, { look, isOver: (now) => !isUnderWay(now), changed }, signal);
    const update = app.store.updates.get(id);
    if (json && update !== null) context.stdout.write(asJson(updateJson(update, null, ended)));
    output.line(`${VERDICT_WORDS[ended.status as RehearsalEnd]}: ${ended.detail ?? ''}`);
    return ended.status === 'passed' ? 0 : 1;
  });
}
