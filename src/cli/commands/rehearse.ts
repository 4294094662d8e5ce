import { isUnderWay, VERDICT_WORDS, type Rehearsal, type RehearsalEnd } from '../../domain/rehearsal/rehearsal';
import { toJson } from '../../http/server';
import type { CliContext } from '../context';
import { follow } from '../follow';
import { liveOutput, silentOutput } from '../live-output';
import { withApp } from '../with-app';
import { asJson } from '../text';

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
      if (status === 'queued') output.progress('waiting for its turn …');
      if (status === 'running' && detail !== null) output.progress(`rehearsal … ${detail}`);
    };
    const ended = await follow(app, { look, isOver: (now) => !isUnderWay(now), changed }, signal);
    const update = app.store.updates.get(id);
    if (json && update !== null) context.stdout.write(asJson(toJson(update, null, ended)));
    output.line(`${VERDICT_WORDS[ended.status as RehearsalEnd]}: ${ended.detail ?? ''}`);
    return ended.status === 'passed' ? 0 : 1;
  });
}
