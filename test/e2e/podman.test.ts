import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import type { ComposeProject } from '../lab/compose';
import { openPodman, whyNoPodman } from '../lab/engine/podman';
import type { Pilot } from '../lab/pilot';
import { runPilot } from '../support/e2e-cli';
import { appServices } from '../support/e2e-app';
import { AUTOMATIC, nginxService, SITE, type Service } from '../support/e2e-services';
import { namesOf, openStage, type Stage } from '../support/e2e-stage';
import { announce, endOfUpdate, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeWhereThere } from '../support/needs';

// docs/podman.md: what the table says works, on the real Podman 5. Its packet filter is off here, so no port is published.
const [WEB, APP] = ['podman/web:stable', 'podman/app:stable'];
const DATA = { 'diun.enable': 'true', 'update.policy': 'automatic', 'update.probe.timeout': '60s' };

describeWhereThere(whyNoPodman(), 'Podman as the engine', () => {
  const stage = openStage();
  let podman: Stage;
  let shop: ComposeProject;
  let pilot: Pilot;
  const backups = (): string => join(pilot.dataDir, 'backups');

  beforeAll(async () => {
    const { lab } = stage;
    const opened = await openPodman(lab);
    stage.closing(() => opened.close());
    podman = stage.on(opened.lab);
    await lab.registry.publish(lab.images.NGINX_GOOD_1, WEB);
    await lab.registry.publish(lab.images.APP_1, APP);
    await lab.registry.publish(lab.images.POSTGRES_15, 'podman/db:15');
    const { db, app } = appServices(lab, lab.registry.reference(APP), DATA) as { db: Service; app: Service };
    const services: Record<string, Service> = {
      web: nginxService(lab.registry.reference(WEB), AUTOMATIC, { ports: [] }),
      db: { ...db, image: lab.registry.reference('podman/db:15') },
      app: { ...app, ports: [] },
    };
    const top = { volumes: { rows: {}, files: {} }, networks: { default: opened.network } };
    shop = await podman.project('podman', services, { files: SITE, top });
    pilot = await podman.pilot();
    await eventually('the app answers', items);
  });

  async function at(service: string, port: number, path: string): Promise<string> {
    const networks = (await shop.container(service))['NetworkSettings'].Networks as Record<
      string,
      { IPAddress: string }
    >;
    return `http://${Object.values(networks)[0]?.IPAddress}:${port}${path}`;
  }
  const items = async (): Promise<unknown> => (await fetch(await at('app', 3000, '/items'))).json();
  const keep = async (name: string): Promise<void> => {
    const answer = await fetch(await at('app', 3000, '/items'), { method: 'POST', body: JSON.stringify({ name }) });
    expect(answer.status).toBe(201);
  };

  async function updated(service: string, image: string, tag: string): Promise<UpdateTold> {
    const { registry } = stage.lab;
    const digest = await registry.publish(image, tag);
    const name = await shop.containerName(service);
    expect((await announce(pilot, registry.reference(tag), digest)).status).toBe(202);
    const update = await endOfUpdate(pilot, name, digest, 180_000);
    expect((await namesOf(podman.lab, shop)).filter((found) => found.startsWith(name))).toEqual([name]);
    return update;
  }

  it('check finds everything in order', async () => {
    const { code, stdout, stderr } = await runPilot(podman.lab, podman.lab.scratch('pilot-check'), ['check']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ok +Docker +Engine 5\.\d+\.\d+, API 1\.41/m);
    expect(stdout).toMatch(/^ok +Probe .*: all checks passed$/m);
  });

  it('a backup has the databases, and the files in the form that Docker gives', async () => {
    await keep('erste');
    const { code, stderr } = await runPilot(podman.lab, pilot.dataDir, ['backup', '--project', shop.name]);
    expect([code, stderr]).toEqual([0, '']);
    const stored = readdirSync(backups(), { recursive: true, encoding: 'utf8' });
    expect(stored.filter((file) => /manifest/.test(file))).toHaveLength(1);
    expect(stored.filter((file) => /\.dump/.test(file)).length).toBeGreaterThan(0);
    expect(filesStored()).toEqual([expect.arrayContaining(['data/files/1.txt'])]);
  });

  /** Names in each archive of files. */
  function filesStored(): string[][] {
    const stored = readdirSync(backups(), { recursive: true, encoding: 'utf8' });
    const tars = stored.filter((file) => /\.tar(?:\.\w+)?$/.test(file)).sort();
    return tars.map((file) =>
      execFileSync('tar', ['-tf', join(backups(), file)])
        .toString()
        .trim()
        .split('\n'),
    );
  }

  it('a good image: the new container serves, in the same network and with the same mounts', async () => {
    const before = await shop.container('web');
    const update = await updated('web', stage.lab.images.NGINX_GOOD_2, WEB);
    expect(update).toMatchObject({ status: 'succeeded', error: null, source: 'diun' });
    const after = await shop.container('web');
    expect(after['Id']).not.toBe(before['Id']);
    expect(Object.keys(after['NetworkSettings'].Networks)).toEqual(Object.keys(before['NetworkSettings'].Networks));
    expect(after['Mounts']).toEqual(before['Mounts']);
    expect((await fetch(await at('web', 80, '/'))).status).toBe(200);
    expect(await shop.up()).toMatchObject({ created: [], recreated: [] });
  });

  it('one that crashes: the untouched old container runs again', async () => {
    const before = await shop.container('web');
    const update = await updated('web', stage.lab.images.NGINX_CRASH_LOOPING, WEB);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    const after = await shop.container('web');
    expect([after['Id'], after['State'].Running]).toEqual([before['Id'], true]);
    expect(after['HostConfig'].RestartPolicy).toEqual(before['HostConfig'].RestartPolicy);
    expect((await fetch(await at('web', 80, '/'))).status).toBe(200);
  });

  it('one that changes the data and fails: the old version runs on the data from before', async () => {
    await keep('zweite');
    const before = [await items(), (await shop.container('app'))['Id']];
    const update = await updated('app', stage.lab.images.APP_2_BROKEN, APP);
    expect(stepsOf(update)).toEqual(expect.arrayContaining(['restore succeeded', 'restore_health_check succeeded']));
    expect(update).toMatchObject({ status: 'rolled_back' });
    expect([await items(), (await shop.container('app'))['Id']]).toEqual(before);
    // This set was taken while the app was stopped: then Podman names a mount from the root, as `/`.
    const names = filesStored().at(-1) ?? [];
    expect(names[0]).toBe('data/');
    expect(names.filter((name) => !name.startsWith('data/'))).toEqual([]);
  });
});
