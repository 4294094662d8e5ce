import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { createRequest } from '../../src/domain/recreate/create-request';
import { guardedSocket, type GuardedSocket } from '../support/e2e-guarded';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { announce, endOfUpdate } from '../support/e2e-updates';
import { rootAttacks, type Attacked } from '../support/root-attacks';
import { engineInLab } from '../support/situations/engine-in-lab';
import { closeStage } from '../support/situations/run-situation';

// A process that took over diun-pilot asks the real engine for `/` through the shipped socket proxy; then diun-pilot itself updates
// through one. The table is judged without an engine in test/unit/adapters/socket-proxy/root-attacks.test.ts.
const stage = openStage();

describe('a process that took over diun-pilot', () => {
  const lab = engineInLab();
  const prefix = lab.prefix('root');
  const { docker, engine, base } = lab;
  let proxy: GuardedSocket;
  let scene: Attacked;

  beforeAll(async () => {
    proxy = await guardedSocket(lab.dockerHost, join(stage.lab.scratch('g'), 'engine.sock'));
    stage.closing(() => proxy.close());
    stage.closing(() => closeStage(docker, prefix));
    await closeStage(docker, prefix);
    const folder = stage.lab.scratch('web');
    mkdirSync(folder, { recursive: true });
    await docker.run(['build', '--quiet', '--tag', `${prefix}-evil:1`, '-'], { input: `FROM ${base}\nLABEL evil=1\n` });
    const run = async (name: string, ...options: string[]): Promise<void> => {
      const command = ['--label', prefix, ...options, '--entrypoint', 'sleep', base, 'infinity'];
      await docker.run(['run', '--detach', '--name', `${prefix}-${name}`, ...command]);
    };
    const volumes = ['--volume', `${folder}:/data`, '--volume', `${prefix}-data:/more`];
    // A port of its own: some attacks spell its binding a second time.
    await run('web', '--label', 'diun.enable=true', '--publish', '127.0.0.1::80', ...volumes);
    await run('agent', '--label', 'diun.enable=true', '--volume', '/:/host:ro');
    await run('root', '--privileged', '--volume', '/:/host');
    const [dataRoot = ''] = await docker.lines(['info', '--format', '{{.DockerRootDir}}']);
    await run(
      'disk',
      '--label',
      'diun.enable=true',
      '--volume',
      `${dataRoot}:/engine`,
      '--volume',
      `${dataRoot}:/run/engine:ro`,
    );
    const [web, agent, root, disk] = await Promise.all(
      ['web', 'agent', 'root', 'disk'].map((name) => engine.inspectContainer(`${prefix}-${name}`)),
    );
    const evilTag = `${prefix}-evil:1`;
    const evil = (await engine.inspectImage(evilTag)).Id;
    const names = { web: `${prefix}-web`, agent: agent!, root: root!, disk: disk!, evil, evilTag };
    scene = { ...names, same: await sameAs(web!), agentSame: await sameAs(agent!) };
  });

  async function sameAs(container: Attacked['root']) {
    const image = await engine.inspectImage(container.Image);
    return createRequest({ container, oldImage: image, newImage: image, reference: container.Config.Image }).body;
  }

  const names = async (): Promise<string[]> =>
    (await docker.lines(['ps', '--all', '--filter', `name=${prefix}-`, '--format', '{{.Names}} {{.State}}'])).sort();

  it('gets no container with `/`, no command and no file of one, by any way', async () => {
    const attacks = rootAttacks(scene);
    const before = await names();
    const got: unknown[] = [];
    for (const [number, attack] of attacks.entries()) {
      const { status, body } = await proxy.send(attack, { chunked: number % 2 === 1 });
      if (![400, 403, 404].includes(status)) got.push({ attack: attack.name, status, body });
    }
    expect(got).toEqual([]);
    expect(attacks.length).toBeGreaterThan(80);
    expect(await names()).toEqual(before);
  });

  it('would get it from a filter of calls alone, and gets the same container as there is', async () => {
    const [attack] = rootAttacks(scene);
    const open = await guardedSocket(lab.dockerHost, join(stage.lab.scratch('o'), 'engine.sock'), { guarded: false });
    const { status, body } = await open.send(attack!);
    open.close();
    expect(status).toBe(201);
    const { Id } = JSON.parse(body) as { Id: string };
    expect((await engine.inspectContainer(Id)).Mounts.map(({ Source }) => Source)).toContain('/');
    await engine.remove(Id);
    const created = await proxy.send({ ...attack!, body: scene.same });
    expect([created.status, created.body]).toEqual([201, expect.stringContaining('Id')]);
    await engine.remove((JSON.parse(created.body) as { Id: string }).Id);
  });
});

describe('diun-pilot through the socket proxy', () => {
  let proxy: GuardedSocket;
  let web: ComposeProject;
  let pilot: Pilot;
  const tagOf = (name: string): string => `guard/${name}:stable`;

  beforeAll(async () => {
    const { registry, images } = stage.lab;
    for (const name of ['good', 'bad']) await registry.publishAndPull(images.NGINX_GOOD_1, tagOf(name));
    const [good, bad] = ['good', 'bad'].map((name) => nginxService(registry.reference(tagOf(name)), AUTOMATIC));
    web = await stage.project('guard-web', { good: good!, bad: bad! }, { files: SITE });
    proxy = await guardedSocket(stage.lab.viewHost, join(stage.lab.scratch('g'), 'engine.sock'));
    stage.closing(() => proxy.close());
    pilot = await stage.on({ ...stage.lab, viewHost: proxy.dockerHost }).pilot();
  });

  const refused = (): unknown[] => proxy.log.filter(({ message }) => message.startsWith('refused'));

  async function updated(project: ComposeProject, service: string, image: string) {
    const digest = await stage.lab.registry.publish(image, tagOf(service));
    await announce(pilot, stage.lab.registry.reference(tagOf(service)), digest);
    return endOfUpdate(pilot, await project.containerName(service), digest, 300_000);
  }

  it('tests the configuration of nginx, updates it, and rolls an unhealthy one back', async () => {
    const { NGINX_GOOD_2, NGINX_NEVER_HEALTHY } = stage.lab.images;
    const [good, bad] = [await updated(web, 'good', NGINX_GOOD_2), await updated(web, 'bad', NGINX_NEVER_HEALTHY)];
    expect([good['status'], bad['status'], refused()]).toEqual(['succeeded', 'rolled_back', []]);
  });
});
