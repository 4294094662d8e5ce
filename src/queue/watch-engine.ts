import type { Deps } from '../deps';
import { messageOf } from '../domain/errors';
import { restarts } from '../domain/recreate/own-config';
import { startLoop } from '../lib/loop';
import { ENGINE_LOST_AFTER_MS, Outage } from '../lib/outage';
import type { Delivery } from '../notifications/deliver';
import { engineLost } from '../notifications/mails/engine-lost';
import { postMail } from '../notifications/post-mail';
import { withinTime } from '../lib/promises';

const LOOK_EVERY_MS = 30_000;
/** For a mail before the process ends; the outbox keeps what is not delivered. */
const MAIL_WITHIN_MS = 30_000;

export interface EngineWatch {
  /** Returns at once; an answer that comes later changes nothing. */
  stop(): void;
}

interface Parts {
  deps: Deps;
  delivery: Pick<Delivery, 'deliverDue'>;
  /** The process is to end with an error, so that its container starts again. */
  end: (reason: string) => void;
}

/**
 * Asks the engine from time to time. Once it has not answered for five minutes, and had answered this process before, one mail
 * reports it. In a container that Docker starts again, and that reaches the engine by a socket, the process then ends:
 * its restart policy mounts the new socket. Webhooks are accepted until then.
 */
export function watchEngine(parts: Parts): EngineWatch {
  const { clock, logger, engine } = parts.deps;
  const outage = new Outage(ENGINE_LOST_AFTER_MS);
  let stopped = false;
  let startsAgain: boolean | null = null;
  const loop = startLoop({
    clock,
    restMs: LOOK_EVERY_MS,
    gatherMs: 0,
    turn: async () => {
      const reason = await whySilent(engine);
      if (stopped) return false;
      if (reason === null) {
        if (outage.answers()) startsAgain = null;
        startsAgain ??= await willStartAgain(parts.deps);
      } else if (outage.isSilent(clock.now())) {
        await report(parts, { since: outage.since as Date, reason, ends: startsAgain === true });
      }
      return false;
    },
    failed: (error) => {
      logger.error('the engine cannot be watched', { reason: messageOf(error) });
      return LOOK_EVERY_MS;
    },
  });
  return {
    stop: () => {
      stopped = true;
      void loop.stop();
    },
  };
}

/** Any refusal counts: a proxy of the socket answers, although no engine does. */
async function whySilent(engine: Deps['engine']): Promise<string | null> {
  try {
    await engine.version();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Null: not known now. The restart policy is read while the engine answers. */
async function willStartAgain({
  engine,
  selfId,
  logger,
}: Pick<Deps, 'engine' | 'logger' | 'selfId'>): Promise<boolean | null> {
  if (selfId === null || engine.address !== null) return false;
  try {
    const { HostConfig } = await engine.inspectContainer(selfId);
    return restarts(HostConfig.RestartPolicy);
  } catch (error) {
    logger.warn('the restart policy of diun-pilot is not known', { reason: messageOf(error) });
    return null;
  }
}

interface Lost {
  since: Date;
  reason: string;
  /** The process ends, since it is started again. */
  ends: boolean;
}

async function report({ deps, delivery, end }: Parts, { since, reason, ends }: Lost): Promise<void> {
  const { store, clock, logger, publicUrl, selfId, engine } = deps;
  logger.error('the engine is lost', { since: since.toISOString(), reason, ends });
  const inContainer = selfId !== null && engine.address === null;
  postMail(store.outbox, engineLost({ since: since.toISOString(), reason, ends, inContainer, publicUrl }));
  if (!ends) return;
  const delivered = delivery.deliverDue().catch((error: unknown) => {
    logger.error('the mail about the lost engine is kept', { reason: messageOf(error) });
  });
  await withinTime(
    { clock, ms: MAIL_WITHIN_MS },
    () => delivered,
    () => undefined,
  );
  end('The Docker Engine has not answered for five minutes: a new start mounts its new socket.');
}
