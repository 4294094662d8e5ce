import { type CertificateSeen, type RenewalRecord, validity } from '../../domain/certificates/certificate';
import { withApp, type CliContext } from '../with-app';
import { follow, liveOutput, silentOutput, type LiveOutput } from '../output';
import { asJson } from '../text';

/** Renews what is due and follows it to its end; 0 only when everything is served as it should be. */
export function renewCommand(context: CliContext, { json }: { json: boolean }): Promise<number> {
  const output = json ? silentOutput : liveOutput(context.stdout);
  return withApp(context, { json }, async (app, signal) => {
    await app.engine.version(); // without an engine the command fails instead of waiting
    const { id } = app.requestRenewal();
    const look = (): RenewalRecord => app.store.renewals.get(id) as RenewalRecord;
    const isOver = ({ status }: RenewalRecord): boolean => status === 'succeeded' || status === 'failed';
    const changed = (_before: RenewalRecord | null, now: RenewalRecord): void => {
      if (!isOver(now)) output.progress(PROGRESS[now.status] ?? '');
    };
    const ended = await follow(app, { look, isOver, changed }, signal);
    if (json) context.stdout.write(asJson(ended));
    printRenewal(ended, output, app.clock.now());
    return ended.status === 'succeeded' && ended.outcome !== 'nothing_to_renew' ? 0 : 1;
  });
}

const PROGRESS: Partial<Record<RenewalRecord['status'], string>> = {
  queued: 'waiting until nothing else runs …',
  running: 'certbot runs, then the server loads the result …',
};

function printRenewal({ detail, error, after }: RenewalRecord, output: LiveOutput, now: Date): void {
  for (const line of (error?.message ?? detail ?? '').split('\n')) output.line(line);
  for (const seen of after ?? []) output.line(`${seen.name}: ${lifeOf(seen, now)}`);
}

function lifeOf({ disk, served, problem }: CertificateSeen, now: Date): string {
  const known = [
    ...(served === null ? [] : [`served, ${validity(served, now)}`]),
    ...(disk === null ? [] : [`on disk, ${validity(disk, now)}`]),
    ...(problem === null ? [] : [problem]),
  ];
  return known.join('; ');
}
