import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt } from '../lab/command';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { Pilot } from '../lab/pilot';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';
import { endOf, mailsAbout, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { describeIf } from '../support/needs';
import { openAppStage, type AppStage } from '../support/swarm/e2e-app-stage';
import type { AppStack } from '../support/swarm/e2e-app-stack';
import type { SwarmStage } from '../support/swarm/e2e-swarm';

// A real app with a real PostgreSQL as services: backed up at 0 replicas, rolled back with their data, restored by hand.
describeIf(whyNoOtherEngine(), 'services with data on a real engine', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let pilot: Pilot;
  let stack: AppStack;
  let app: AppStage;
  let specs: [string, number | undefined][];

  beforeAll(async () => {
    app = await openAppStage(stage);
    ({ swarm, pilot, stack } = app);
    specs = await stack.specs();
  }, 300_000);

  const backupOf = async ({ id }: UpdateTold): Promise<Record<string, unknown> | undefined> => {
    const { backups } = (await pilot.get('/backups')) as { backups: Record<string, unknown>[] };
    return backups.find(({ updateId }) => updateId === id);
  };

  it('a new version that migrates and fails: the old one runs again on the data from before', async () => {
    const before = await app.whole();
    await stack.publish('app', 'APP_2_BROKEN');
    const update = await endOf(pilot, await app.ask(stack.names.app), 300_000);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(stepsOf(update)).toEqual([
      ...['backup succeeded', 'pull succeeded', 'preflight succeeded', 'rollout succeeded', 'health_check failed'],
      ...['rollback succeeded', 'rollback_health_check skipped', 'restore succeeded', 'restore_health_check succeeded'],
    ]);
    expect(update['reason']).toContain('its data was restored from the backup');
    expect(await backupOf(update)).toMatchObject({ quiesced: true, status: 'succeeded' });
    expect(await app.whole()).toEqual(before);
    await mailsAbout(pilot, stack.names.app, 1);
    const mail = (await pilot.mails()).find(({ subject }) => subject?.includes('the old version is running'));
    expect(mail?.text?.replace(/\s+(!! )?/g, ' ')).toContain('the data was restored from the backup of this update');
  });

  it('the database: dumped while it runs, with the app at 0 until the new server is healthy', async () => {
    const before = await app.data();
    const next = await stack.publish('db', 'POSTGRES_15_NEXT');
    const update = await endOf(pilot, await app.ask(stack.names.db), 300_000);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    expect(await backupOf(update)).toMatchObject({ quiesced: true });
    await stack.ready();
    expect(await app.data()).toEqual(before);
    specs = [specs[0] as [string, number], [next, 1]];
    expect(await stack.specs()).toEqual(specs);
    await stack.publish('db', 'POSTGRES_17');
    const refused = await endOf(pilot, await app.ask(stack.names.db), 300_000);
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
    expect(await stack.specs()).toEqual(specs);
  });

  /** Those of docs/swarm.md, with the names of this stack. */
  async function restoreByHand(folder: string): Promise<void> {
    const text = readFileSync(join(__dirname, '../../docs/swarm.md'), 'utf8');
    const commands = /```sh\n(docker service scale STACK_APP=0\n[^`]*)```/.exec(text)?.[1] ?? 'exit 9';
    const { docker } = swarm.stage.lab;
    const [db = ''] = await docker.lines(['ps', '--quiet', '--filter', 'label=com.docker.swarm.service.name=data_db']);
    const script = commands
      .replaceAll('DB_CONTAINER', db)
      .replaceAll('STACK_APP', stack.names.app)
      .replaceAll('STACK_DB', stack.names.db)
      .replaceAll('STACK_DATA', 'data_files')
      .replaceAll('-U postgres', '-U app')
      // The numbers depend on how many databases there are.
      .replaceAll(/< \d\d-/g, '< *-')
      .replaceAll('alpine tar', '--entrypoint tar "$IMAGE"');
    const image = (await swarm.swarm.service(stack.names.app)).Spec.TaskTemplate.ContainerSpec?.Image ?? '';
    const env = { PATH: process.env['PATH'], DOCKER_HOST: swarm.dockerHost, IMAGE: image };
    const docked = script.replace(/^docker /gm, `${docker.path} `);
    const { code, stdout, stderr } = await attempt('bash', ['-euc', `cd '${folder}'\n${docked}`], { env });
    if (code !== 0) throw new Error(`${docked}\nended with ${code}: ${stdout}${stderr}`);
  }

  it('a restore by command is refused with the reason, and the commands of docs/swarm.md bring the set back', async () => {
    const env = { DOCKER_HOST: swarm.dockerHost };
    const before = await app.data();
    const backup = await runPilot(stage.lab, pilot.dataDir, ['backup', '--project', 'data'], env);
    expect({ ...backup }).toMatchObject({ code: 0 });
    const [newest] = ((await pilot.get('/backups')) as { backups: { url: string }[] }).backups;
    await stack.keep('later');
    await stack.sql('CREATE TABLE newer ()');
    const refused = await runPilot(stage.lab, pilot.dataDir, ['restore', 'latest', '--yes'], env);
    expect(`${refused.code} ${refused.stdout}${refused.stderr}`.replace(/\s+/g, ' ')).toMatch(
      /^[1-9].*data_app is a Swarm service, whose data only the rollback of its own update restores/,
    );
    await restoreByHand(fileURLToPath(newest?.url ?? ''));
    await stack.ready();
    expect(await app.data()).toEqual(before);
    expect(await stack.sql("SELECT to_regclass('newer') IS NULL")).toBe('t');
  });

  it('a good new version: its rows and files are there, and both services have their replica', async () => {
    const items = await stack.items();
    const next = await stack.publish('app', 'APP_2');
    const update = await endOf(pilot, await app.ask(stack.names.app), 300_000);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    expect(update['reason']).toMatch(/the new version changed the data: database app of data_db: version 1 → 2/);
    await stack.ready();
    expect((await stack.items()).map(({ name }) => name)).toEqual(items.map(({ name }) => name));
    expect(await stack.specs()).toEqual([[next, 1], specs[1]]);
    expect(await stack.aside()).toEqual([]);
  });
});
