import { messageOf } from '../../domain/errors';
import type { Logger } from '../../lib/logger';
import type { App } from '../../app';
import { INTERRUPTED, printError, type CliContext, type Signals } from '../with-app';

const CLOSES_WITHIN_MS = 10_000;

/**
 * Serves until a signal, or until the service must be started again (code 1). Then closes within 10 s; a second signal ends the
 * process at once. Logs JSON on standard output.
 */
export async function serveCommand(context: CliContext, { json }: { json: boolean }): Promise<number> {
  let logger: Logger | null = null;
  try {
    const settings = context.loadSettings({ generateSecrets: true });
    logger = context.createLogger(settings.logLevel);
    dieOfDefects(context.signals, logger);
    const stopped = firstSignal(context.signals);
    const app = context.openApp(settings, { logger });
    return await serveUntil(stopped, app, context.signals, logger);
  } catch (error) {
    logger?.error('could not start', { reason: messageOf(error) });
    return printError(context, error, json);
  }
}

async function serveUntil(stopped: Promise<string>, app: App, signals: Signals, logger: Logger): Promise<number> {
  let code = 0;
  try {
    const { port } = await app.startServing();
    logger.info('listening', { port, publicUrl: app.settings.publicUrl });
    const signal = await Promise.race([stopped, app.mustEnd.then((reason) => ({ reason }))]);
    if (typeof signal === 'string') logger.info('stopping', { signal });
    else {
      code = 1;
      logger.error('stopping in order to be started again', signal);
    }
  } finally {
    const late = setTimeout(() => {
      logger.error('could not stop in time: what was under way is left to recovery');
      signals.exit(1);
    }, CLOSES_WITHIN_MS);
    await app.close();
    clearTimeout(late);
  }
  logger.info('stopped');
  return code;
}

function firstSignal(signals: Signals): Promise<string> {
  return new Promise((resolve) => {
    let first = true;
    for (const name of ['SIGTERM', 'SIGINT']) {
      signals.on(name, () => {
        if (!first) signals.exit(INTERRUPTED);
        first = false;
        resolve(name);
      });
    }
  });
}

/** After a defect nothing that is in memory can be trusted; what is on the disk can: the next start recovers from it. */
function dieOfDefects(signals: Signals, logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    signals.on(event, (error) => {
      logger.error('a defect ended the process', {
        event,
        error: error instanceof Error ? error.stack : messageOf(error),
      });
      signals.exit(1);
    });
  }
}
