import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { Pilot } from '../lab/pilot';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { openStage } from '../support/e2e-stage';
import { endOf, mailsAbout, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { someOf } from '../support/exhaustive';
import { describeIf } from '../support/needs';
import { runAppStack, type AppStack } from '../support/swarm/e2e-app-stack';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

// A real app with a real PostgreSQL as services: backed up at 0 replicas, rolled back with their data, whole after every SIGKILL.
describeIf(whyNoOtherEngine(), 'services with data on a real engine', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let pilot: Pilot;
  let proxy: EngineProxy;
  let stack: AppStack;
  let first: [string, number | undefined][];

  beforeAll(async () => {
    swarm = await openSwarm(stage);
    stack = await runAppStack(swarm, 'data');
    proxy = engineProxy(swarm.stage.lab);
    await proxy.mend();
    stage.closing(() => proxy.cut());
    pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
    await stack.ready();
    for (const item of ['erste', 'zweite']) await stack.keep(item);
    first = await stack.specs();
  }, 300_000);

  async function ask(container: string): Promise<string> {
    const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container }) });
    expect(await answer.json()).toMatchObject({ status: 'queued' });
    return pilot.get('/updates?limit=1').then((list) => (list as { updates: { id: string }[] }).updates[0]?.id ?? '');
  }

  const asItIs = async (): Promise<unknown> => ({
    items: await stack.items(),
    schema: await stack.sql('SELECT version FROM version'),
  });
  const backupOf = async ({ id }: UpdateTold): Promise<Record<string, unknown> | undefined> => {
    const { backups } = (await pilot.get('/backups')) as { backups: Record<string, unknown>[] };
    return backups.find(({ updateId }) => updateId === id);
  };

  async function expectAsBefore(before: unknown): Promise<void> {
    await stack.ready();
    expect(await stack.specs()).toEqual(first);
    expect(await asItIs()).toEqual(before);
    expect(await stack.aside()).toEqual([]);
  }

  it('a new version that migrates and fails: the old one runs again on the data from before', async () => {
    const before = await asItIs();
    await stack.publish('app', 'APP_2_BROKEN');
    const update = await endOf(pilot, await ask(stack.names.app), 300_000);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(stepsOf(update)).toEqual([
      ...['backup succeeded', 'pull succeeded', 'preflight succeeded', 'rollout succeeded', 'health_check failed'],
      ...['rollback succeeded', 'rollback_health_check skipped', 'restore succeeded', 'restore_health_check succeeded'],
    ]);
    expect(update['reason']).toContain('the data of its backup was restored');
    expect(await backupOf(update)).toMatchObject({ quiesced: true, status: 'succeeded' });
    await expectAsBefore(before);
    await mailsAbout(pilot, stack.names.app, 1);
    const mail = (await pilot.mails()).find(({ subject }) => subject?.includes('the old version is running'));
    expect(mail?.text?.replace(/\s+(!! )?/g, ' ')).toContain('the data was restored from the backup of this update');
  });

  const UPDATE = /^POST \/services\/[^/]+\/update/;
  const READ = /^GET \/containers\/[^/]+\/archive/;
  const UNPACK = /^PUT \/containers\/[^/]+\/archive/;
  const KILLS = [
    ['after it was scaled to 0', [UPDATE], 'after'],
    ['while its files are read', [UPDATE, READ], 'before'],
    ['after the new image was requested', [UPDATE, UPDATE], 'after'],
    ['before its files are unpacked', [UPDATE, UPDATE, UPDATE, UNPACK], 'before'],
  ] as const;
  it.each(someOf(KILLS, 3))('SIGKILL %s: the same end, one mail', async (_, calls, when) => {
    const before = await asItIs();
    const held = proxy.hold({ calls: [...calls], when });
    const id = await ask(stack.names.app);
    await held;
    await pilot.kill('SIGKILL');
    await pilot.start();
    expect(await endOf(pilot, id, 300_000)).toMatchObject({ status: 'rolled_back' });
    await expectAsBefore(before);
    const told = async (): Promise<boolean> =>
      (await pilot.mails()).filter(({ text }) => text?.includes(id)).length === 1;
    await eventually('its mail arrives', told, { timeoutMs: 120_000, everyMs: 50 });
  });

  it('the database: dumped while it runs, with the app at 0 until the new server is healthy', async () => {
    const before = await asItIs();
    const next = await stack.publish('db', 'POSTGRES_15_NEXT');
    const update = await endOf(pilot, await ask(stack.names.db), 300_000);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    expect(await backupOf(update)).toMatchObject({ quiesced: true });
    await stack.ready();
    expect(await asItIs()).toEqual(before);
    first = [first[0] as [string, number], [next, 1]];
    expect(await stack.specs()).toEqual(first);
    await stack.publish('db', 'POSTGRES_17');
    const refused = await endOf(pilot, await ask(stack.names.db), 300_000);
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
    expect(await stack.specs()).toEqual(first);
  });

  it('a good new version: its rows and files are there, and both services have their replica', async () => {
    const items = await stack.items();
    const next = await stack.publish('app', 'APP_2');
    const update = await endOf(pilot, await ask(stack.names.app), 300_000);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    expect(update['reason']).toMatch(/the new version changed the data: database app of data_db: version 1 → 2/);
    await stack.ready();
    expect((await stack.items()).map(({ name }) => name)).toEqual(items.map(({ name }) => name));
    expect(await stack.specs()).toEqual([[next, 1], first[1]]);
    expect(await stack.aside()).toEqual([]);
  });
});
