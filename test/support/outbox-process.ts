import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';
import { createDelivery, createNoticeDelivery } from '../../src/notifications/deliver';
import { updateFailed } from '../../src/notifications/mails/update-failed';
import { postMail } from '../../src/notifications/post-mail';
import { aFailedUpdate, anUpdate, failedNews } from './news-builder';
import { endsAt } from './outbox-ends';
import { recordingLogger } from './recording-logger';
import { aNewUpdate } from './update-builder';

// A process that writes a state with its mail, and delivers that to a mail server and a channel. It kills itself with SIGKILL at the
// step of this number (0: never) and writes the names of the steps that it has passed, one a line.
// node --import tsx test/support/outbox-process.ts DATABASE ADDRESS STEP

const [path = '', address = '', at = '0'] = process.argv.slice(2);
let steps = 0;

function pass(name: string): void {
  process.stdout.write(`${name}\n`);
  if (++steps === Number(at)) process.kill(process.pid, 'SIGKILL');
}

/** Each call of these methods is two steps: just before it, and just after it. */
function stepped<T extends object>(of: string, target: T, names: readonly (keyof T & string)[]): T {
  const wrapped = names.map((name) => {
    const method = target[name] as (...args: unknown[]) => unknown;
    const call = (...args: unknown[]): unknown => {
      pass(`before ${of}.${name}`);
      const answer = method.apply(target, args);
      const after = (): void => pass(`after ${of}.${name}`);
      if (!(answer instanceof Promise)) after();
      return answer instanceof Promise ? answer.then(after) : answer;
    };
    return [name, call];
  });
  return { ...target, ...(Object.fromEntries(wrapped) as Partial<T>) };
}

async function main(): Promise<void> {
  const store = createSqliteStore({ path, clock: systemClock });
  const { logger } = recordingLogger();
  const { channel, transport: server } = endsAt(address);
  store.channels.use([channel]);
  store.transaction(() => {
    pass('in the transaction');
    store.updates.insert(aNewUpdate({ status: 'failed' }));
    postMail(store.outbox, updateFailed(failedNews({ update: anUpdate(aFailedUpdate()), quarantined: false })));
    pass('before the commit');
  });
  pass('after the commit');
  const parts = { clock: systemClock, logger, random: () => 0 };
  const transport = stepped('mail', server, ['send']);
  const outbox = stepped('outbox', store.outbox, ['due', 'sent']);
  await createDelivery({
    ...parts,
    store: { outbox },
    transport,
    from: 'a@b.example',
    to: ['c@d.example'],
  }).deliverDue();
  const channels = {
    ...store.channels,
    of: (id: string) => stepped('channel', store.channels.of(id), ['due', 'sent']),
  };
  await createNoticeDelivery({
    ...parts,
    store: { channels },
    channel: stepped('notice', channel, ['send']),
  }).deliverDue();
  store.close();
}

void main();
