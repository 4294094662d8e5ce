import { kitFingerprint, recoveryKit } from '../../domain/recovery/recovery-kit';
import { cliUser } from '../cli-user';
import type { CliContext } from '../context';
import { kitFacts } from '../recovery';
import { asJson } from '../text';
import { withApp } from '../with-app';

/**
 * Prints the page that leads from an empty host back to the data. It has secrets, so the audit trail records who printed it; only
 * then `check` is content.
 */
export function recoveryKitCommand(context: CliContext, { json }: { json: boolean }): Promise<number> {
  return withApp(context, { json }, async (app) => {
    const facts = kitFacts(app, await app.containers(), context.version);
    const kit = recoveryKit(facts);
    const detail = { fingerprint: kitFingerprint(facts) };
    app.store.audit.append({ kind: 'recovery_kit', actor: cliUser(), subject: null, detail });
    context.stdout.write(json ? asJson({ kit }) : kit);
    context.stderr.write('This page contains secrets: keep it in a safe, not on this host.\n');
    return 0;
  });
}
