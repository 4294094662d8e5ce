import { PilotError } from '../../src/domain/errors';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { askedRestore, nextProcess, restoreOf } from '../support/restore-scene';

// What the mail of a restore that failed says of the data is what the journal knows, whatever the message says.

type Scripted = (call: CommandCall) => Outcome;

const DISK_FULL = new PilotError('engine_refused', 'The disk is full.');

it('a restore that could not be undone: the mail never says that the previous data is in place', async () => {
  const { forge, scene } = await askedRestore();
  const scripts = forge.specs['postgres:15']?.scripts as Scripts;
  const psql = scripts['psql *'] as Scripted;
  let renamed = false;
  scripts['psql *'] = (call) => {
    if (renamed) return { exitCode: 2, stderr: 'FATAL:  the disk is full' };
    renamed = call.command.some((word) => word.includes(' RENAME TO '));
    return psql(call);
  };
  await scene.settle();
  expect(scene.store.restores.journal(restoreOf(scene).id)).toMatchObject({ stage: 'undoing', swapBegan: true });
  const mail = scene.mails().at(-1);
  expect(mail?.subject).toContain('DOWN, restore failed, the previous data could not be put back');
  expect(mail?.text).not.toMatch(/previous data is in place/);
  scene.close();
});

it('a restore that was undone, after which a container does not start: manual action is required', async () => {
  const { scene } = await askedRestore();
  scene.engine.onCall('extract', () => {
    throw DISK_FULL;
  });
  scene.engine.onCall('start', ({ line }) => {
    if (line.endsWith(' forge-gitea-1')) throw new PilotError('engine_refused', 'port is already allocated');
  });
  await scene.settle();
  const mail = scene.mails().at(-1);
  expect(mail?.subject).toContain('the previous data is in place, but a container is not healthy');
  expect(mail?.text).toContain('port is already allocated');
  scene.close();
});

it.each([
  ['while the data changes places', 'swapping', 'DOWN, restore failed, the previous data could not be put back'],
  ['before the containers are started', 'starting', 'RESTORED BUT UNHEALTHY'],
])(
  'a process that dies %s, and then cannot list them: the mail says which data is there',
  async (_, stage, subject) => {
    const { scene } = await askedRestore();
    const stageNow = () => scene.store.restores.journal(restoreOf(scene).id)?.stage;
    const died = new Promise<void>((resolve) => {
      const die = () => (stageNow() === stage ? (resolve(), scene.engine.die()) : undefined);
      for (const method of ['start', 'exec', 'execInput'] as const) scene.engine.onCall(method, die);
    });
    await Promise.race([died, scene.settle()]);
    expect(stageNow()).toBe(stage);
    const next = nextProcess(scene);
    next.engine.onCall('containers', () => {
      throw new PilotError('engine_refused', 'one container cannot be read');
    });
    await next.settle();
    expect(restoreOf(next).status).toBe('failed');
    expect(next.mails().at(-1)?.subject).toContain(subject);
    next.close();
  },
);
