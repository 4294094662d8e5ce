import { PilotError } from '../../domain/errors';
import { restoreCommandLine, type RestoreRecord } from '../../domain/backups/restore';
import { notAuthenticated } from '../../restores/find-set';
import type { RestorePlan } from '../../restores/plan-restore';
import type { App } from '../../app';
import { withApp, type CliContext } from '../with-app';
import { follow, liveOutput, silentOutput, type LiveOutput } from '../output';
import { asJson } from '../text';

export interface RestoreArguments {
  backup: string;
  project?: string;
  dryRun: boolean;
  yes: boolean;
  /** Also a set that is not authenticated. */
  trust: boolean;
  json: boolean;
}

/** Shows what a restore does, asks, and follows it to its end; 0 only when the data is restored and all that were judged are healthy. */
export function restoreCommand(context: CliContext, options: RestoreArguments): Promise<number> {
  const { backup, project, json } = options;
  const output = json ? silentOutput : liveOutput(context.stdout);
  const request = { backup, trust: options.trust, ...(project === undefined ? {} : { project }) };
  return withApp(context, { json }, async (app, signal) => {
    const plan = await app.planRestore(request);
    output.line(`Restore of ${plan.url}`);
    plan.course.forEach((sentence, i) => output.line(`${i + 1}. ${sentence}`));
    if (plan.distrust !== null) {
      output.line(`This set is not authenticated: ${plan.distrust}. A restore of it needs --trust.`);
    }
    if (options.dryRun) return rehearse(app, plan, context, options, output);
    if (plan.distrust !== null && !options.trust) throw notAuthenticated(plan.url, plan.distrust);
    await confirm(context, options);
    const ended = await followRestore(app, app.requestRestore(plan, request), output, signal);
    if (json) context.stdout.write(asJson(ended));
    else tellEnd(ended, output);
    return ended.status === 'succeeded' ? 0 : 1;
  });
}

async function rehearse(
  app: App,
  plan: RestorePlan,
  context: CliContext,
  { json }: RestoreArguments,
  output: LiveOutput,
): Promise<number> {
  await app.rehearseRestore(plan, (detail) => output.progress(detail));
  const { url, course, manifest, distrust } = plan;
  const report = { dryRun: true, backup: manifest.id, url, course, authenticated: distrust === null, distrust };
  if (json) context.stdout.write(asJson(report));
  output.line('The set is complete and fits. Dry run: nothing was stopped and nothing was changed.');
  return 0;
}

async function confirm({ ask }: CliContext, { yes, json, backup, project, trust }: RestoreArguments): Promise<void> {
  if (yes) return;
  if (ask === null || json) {
    throw new PilotError(
      'not_confirmed',
      `No terminal to ask for confirmation, so nothing was done: run ${restoreCommandLine({ backup, project, trust })} --yes, or --dry-run to only show the plan.`,
    );
  }
  const answer = await ask('Restore it now? Type yes: ');
  if (answer.trim().toLowerCase() !== 'yes') throw new PilotError('not_confirmed', 'Not confirmed: nothing was done.');
}

function followRestore(
  app: App,
  asked: RestoreRecord,
  output: LiveOutput,
  signal: AbortSignal,
): Promise<RestoreRecord> {
  const look = (): RestoreRecord => app.store.restores.get(asked.id) as RestoreRecord;
  const isOver = ({ status }: RestoreRecord): boolean => status === 'succeeded' || status === 'failed';
  const changed = (before: RestoreRecord | null, now: RestoreRecord): void => {
    if (isOver(now)) return;
    const words =
      now.status === 'queued' ? 'waiting until nothing else runs …' : `${now.detail ?? 'reading the set'} …`;
    if (before?.detail !== now.detail || before.status !== now.status) output.started(words);
    output.progress(words);
  };
  return follow(app, { look, isOver, changed }, signal);
}

function tellEnd({ status, detail, error, kept }: RestoreRecord, output: LiveOutput): void {
  output.line(status === 'succeeded' ? (detail ?? 'The data is restored.') : `Failed: ${error?.message ?? ''}`);
  if (kept.length === 0) return;
  output.line('The previous data is kept. Remove it when you no longer need it:');
  for (const { what, remove } of kept) {
    output.line(`  ${what}`);
    output.line(`    ${remove}`);
  }
}
