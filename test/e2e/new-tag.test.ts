import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeProject, type ComposeProject } from '../lab/compose';
import { attempt, run } from '../lab/command';
import type { Pilot } from '../lab/pilot';
import { SHARED_SITE } from '../support/e2e-edge';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, mailsAbout, updateTo, type UpdateTold } from '../support/e2e-updates';

// Diun says that a repository has a newer tag; afterwards `docker compose up -d` must keep it, and do nothing at all.
const stage = openStage();
let pilot: Pilot;
let proxy: EngineProxy;

beforeAll(async () => {
  proxy = engineProxy(stage.lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
});

const reference = (project: string, tag: string): string =>
  stage.lab.registry.reference(`new-tag-${project}/nginx:${tag}`);

/** As an operator writes it, remarks included. `image` and `more` are lines of the service `web`. */
const yaml = (image: string, more: string[] = []): string => `# the shop's front   (do not reorder!)
services:
    edge: {image: "${stage.lab.images.EDGE}", ports: ["127.0.0.1::80"]}  # owns the ports

    web:
        ${image}
        labels: {diun.enable: 'true', diun.watch_repo: 'true', update.policy: automatic,
                 update.probe: nginx, "update.probe.timeout": 20s}
        volumes: ["./conf:/etc/nginx/conf.d:ro"]
${more.map((line) => `        ${line}\n`).join('')}
# end
`;

/** Up on 1.27.3. `options`: of `docker compose` itself, in the project's folder. */
async function openProject(
  name: string,
  text: string,
  files: Record<string, string> = {},
  options: (folder: string) => string[] = () => [],
): Promise<ComposeProject> {
  const { registry, images } = stage.lab;
  await registry.publishAndPull(images.NGINX_GOOD_1, `new-tag-${name}/nginx:1.27.3`);
  const project = composeProject(stage.lab, `new-tag-${name}`, text, { ...SHARED_SITE, ...files });
  project.options = options(project.dir);
  stage.closing(() => project.down());
  await project.up();
  return project;
}

/** Diun says that there is 1.27.4. */
async function announceNewer(name: string): Promise<string> {
  const { registry, images } = stage.lab;
  const digest = await registry.publish(images.NGINX_GOOD_2, `new-tag-${name}/nginx:1.27.4`);
  await announce(pilot, reference(name, '1.27.4'), digest, 'new-tag');
  return digest;
}

async function updated(name: string, project: ComposeProject): Promise<UpdateTold> {
  const digest = await announceNewer(name);
  const update = await endOfUpdate(pilot, await project.containerName('web'), digest);
  expect(update).toMatchObject({ status: 'succeeded', to: { reference: reference(name, '1.27.4') } });
  return update;
}

async function expectUpChangesNothing(project: ComposeProject): Promise<void> {
  const before = await project.container('web');
  expect((await project.up()).recreated).toEqual([]);
  expect((await project.container('web'))['Id']).toBe(before['Id']);
}

it('the line of the compose file names it, and nothing else is changed', async () => {
  const image = `image: '${reference('line', '1.27.3')}'   # pinned by hand`;
  const text = yaml(image, ["env_file: 'web.env'", 'restart: always']);
  const project = await openProject('line', text, { 'web.env': 'PRICE=5$$ "net"\nEMPTY=\n' });
  const update = await updated('line', project);
  expect(update['followUp']).toBeNull();
  expect(readFileSync(project.file, 'utf8')).toBe(text.replace('1.27.3', '1.27.4'));
  expect(readdirSync(project.dir).sort()).toEqual(['conf', 'docker-compose.yml', 'web.env']);
  expect(update['steps'].at(-1).detail).toContain(`is now "image: ${reference('line', '1.27.4')}"`);
  await expectUpChangesNothing(project);
});

it('the variable of the .env file names it, where the compose file names the variable', async () => {
  const text = yaml(`image: "${reference('env', '${WEB_TAG}')}"`, ['profiles: [front]']);
  const env = '# versions\nexport WEB_TAG="1.27.3" # of the front\nCOMPOSE_PROFILES=front\n';
  const project = await openProject('env', text, { '.env': env });
  expect((await updated('env', project))['followUp']).toBeNull();
  expect(readFileSync(project.file, 'utf8')).toBe(text);
  expect(readFileSync(join(project.dir, '.env'), 'utf8')).toBe(env.replace('1.27.3', '1.27.4'));
  await expectUpChangesNothing(project);
});

it('of several files the last that says it, with --env-file', async () => {
  const over = 'services: {web: {image: "${PLACE}:${WEB_TAG-none}", restart: always}}\n';
  const env = `PLACE=${reference('files', '').slice(0, -1)}\nWEB_TAG=1.27.3\n`;
  const text = yaml('image: nginx:none');
  const project = await openProject('files', text, { 'over.yml': over, 'versions.env': env }, (folder) => [
    ...['--file', join(folder, 'over.yml'), '--env-file', join(folder, 'versions.env')],
  ]);
  expect((await updated('files', project))['followUp']).toBeNull();
  expect(readFileSync(join(project.dir, 'versions.env'), 'utf8')).toBe(env.replace('1.27.3', '1.27.4'));
  expect([readFileSync(project.file, 'utf8'), readFileSync(join(project.dir, 'over.yml'), 'utf8')]).toEqual([
    text,
    over,
  ]);
  await expectUpChangesNothing(project);
});

it.each(['recreate', 'handover'])('in the network of another service, by %s, too', async (strategy) => {
  const name = `edge-${strategy}`;
  const text = yaml(`image: ${reference(name, '1.27.3')}`, ['network_mode: service:edge']);
  const project = await openProject(name, text.replace('nginx, ', `nginx, update.strategy: ${strategy}, `));
  expect((await updated(name, project))['followUp']).toBeNull();
  expect(readFileSync(project.file, 'utf8')).toContain(reference(name, '1.27.4'));
  await expectUpChangesNothing(project);
});

it('a file that is mounted read-only is left as it is, and the update and its mail tell the line', async () => {
  const text = yaml(`image: ${reference('fixed', '1.27.3')}`);
  const project = await openProject('fixed', text.replace('policy: automatic', 'policy: manual'));
  await run('mount', ['--bind', project.dir, project.dir]);
  stage.closing(() => attempt('umount', [project.dir]));
  await run('mount', ['-o', 'remount,bind,ro', project.dir]);
  const digest = await announceNewer('fixed');
  const name = await project.containerName('web');
  expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'awaiting_approval' });
  await pilot.request('/updates', {
    method: 'POST',
    body: JSON.stringify({ container: name, image: reference('fixed', '1.27.4') }),
  });
  const update = await endOfUpdate(pilot, name, digest);
  expect(update['status']).toBe('succeeded');
  const line = `in ${project.file}, service web, change the line "image: ${reference('fixed', '1.27.3')}" to "image: ${reference('fixed', '1.27.4')}" (line 6)`;
  expect(update['followUp']).toContain(line);
  expect(update['followUp']).toContain('is mounted read-only');
  await mailsAbout(pilot, name, 2);
  const mail = (await pilot.mails()).find(
    ({ subject }) => subject?.includes(name) && subject.includes('one manual step is left'),
  );
  // What must be done bears a mark at the begin of every line.
  expect(mail?.text?.replace(/\s+(!! )?/g, ' ')).toContain(line);
  expect(readFileSync(project.file, 'utf8')).toContain('1.27.3');
  // Once the operator has made just this change, Compose knows the container.
  await run('umount', [project.dir]);
  project.write(readFileSync(project.file, 'utf8').replace('1.27.3', '1.27.4'));
  await expectUpChangesNothing(project);
});

it.each(['before', 'after'] as const)(
  'SIGKILL %s the old container is removed: new container and new tag',
  async (when) => {
    const name = `killed-${when}`;
    const project = await openProject(name, yaml(`image: ${reference(name, '1.27.3')}`));
    const held = proxy.hold({ calls: [/^POST .*\/stop/, /^POST .*\/start/, /^DELETE \/containers\//], when });
    const digest = await announceNewer(name);
    const container = await project.containerName('web');
    await updateTo(pilot, container, digest);
    await held;
    await pilot.kill('SIGKILL');
    await pilot.start();
    expect(await endOfUpdate(pilot, container, digest)).toMatchObject({ status: 'succeeded', followUp: null });
    expect(readFileSync(project.file, 'utf8')).toContain(reference(name, '1.27.4'));
    await expectUpChangesNothing(project);
  },
);
