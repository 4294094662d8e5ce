import { toJson } from '../../http/server';
import type { CliContext } from '../context';
import { liveOutput, silentOutput } from '../live-output';
import { withApp } from '../with-app';
import { followToVerdict } from './update';
import { asJson } from '../text';
import { cliUser } from '../cli-user';

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
      json ? asJson(toJson(update, null, app.store.rehearsals.of(update.id))) : `${update.reason}\n`,
    );
    return 0;
  });
}
