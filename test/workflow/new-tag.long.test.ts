import { linkSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PilotError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { requestUpdate } from '../../src/decisions/request-update';
import { PINNED, pinnedProject, type PinnedProject } from '../support/pinned-project';
import { openScene, type Scene } from '../support/scene';

// An update to a new tag: what becomes of the files from which Compose would make the container again.

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

async function updateTo(tag = '1.27.4'): Promise<Update> {
  scene.engine.publish(`nginx:${tag}`);
  await requestUpdate(scene.deps, { container: 'web-web-1', image: `nginx:${tag}` });
  await scene.settle();
  return scene.updates().at(-1) as Update;
}

const cleanup = (update: Update): string => update.steps.find(({ name }) => name === 'cleanup')?.detail ?? '';

/** The hash that the new container bears is that of the files as they lie there now. */
async function expectKnownToCompose(project: PinnedProject): Promise<void> {
  const hash = await scene.compose.configHash({
    ...{ project: 'web', service: 'web', folder: project.folder, composeFiles: [project.read()] },
    envFiles: readdirSync(project.folder).includes('.env') ? [project.read('.env')] : [],
    way: { allProfiles: false, readsEnvFile: false, joins: null },
  });
  expect(scene.engine.container('web-web-1').Config.Labels?.['com.docker.compose.config-hash']).toBe(hash);
}

it('writes the tag into the compose file, and nothing is left to do', async () => {
  const project = await pinnedProject(scene);
  const update = await updateTo();
  expect(update).toMatchObject({ status: 'succeeded', followUp: null });
  expect(project.read()).toBe(PINNED.replace('1.27.3', '1.27.4'));
  expect(cleanup(update)).toContain('compose.yaml, line 4: "image: nginx:1.27.3" is now "image: nginx:1.27.4"');
  expect(scene.mails().at(-1)?.subject).toContain('the new version is healthy');
  await expectKnownToCompose(project);
});

it('writes it into the .env file where the compose file names a variable', async () => {
  const compose = PINNED.replace('1.27.3', '${TAG}');
  const project = await pinnedProject(scene, {
    files: { 'compose.yaml': compose, '.env': '# versions\nTAG=1.27.3\n' },
  });
  expect(await updateTo()).toMatchObject({ status: 'succeeded', followUp: null });
  expect([project.read(), project.read('.env')]).toEqual([compose, '# versions\nTAG=1.27.4\n']);
  await expectKnownToCompose(project);
});

it('writes only once the new container is healthy, and before the old one is removed', async () => {
  const project = await pinnedProject(scene);
  const seen: string[] = [];
  for (const call of ['start', 'stop', 'remove'] as const)
    scene.engine.onCall(call, () => void seen.push(`${call} ${project.read().includes('1.27.4')}`));
  await updateTo();
  expect(seen).toEqual(['stop false', 'start false', 'remove true']);
});

it('leaves the files alone when the update is rolled back', async () => {
  const project = await pinnedProject(scene);
  scene.engine.publish('nginx:1.27.4', { health: 'exits' });
  await requestUpdate(scene.deps, { container: 'web-web-1', image: 'nginx:1.27.4' });
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
  expect(project.read()).toBe(PINNED);
});

it('leaves an older version that the operator asked for to the operator', async () => {
  const project = await pinnedProject(scene);
  const update = await updateTo('1.27.2');
  expect(update).toMatchObject({ status: 'succeeded' });
  expect(update.followUp).toMatch(/change the line "image: nginx:1.27.3" to "image: nginx:1.27.2".*older version/);
  expect(project.read()).toBe(PINNED);
});

describe('what cannot be written is told', () => {
  it.each<[string, (project: PinnedProject) => void, RegExp]>([
    ['not mounted', ({ folder }) => rmSync(folder, { recursive: true }), /not there: mount the folder/],
    ['linked', ({ folder }) => linkSync(join(folder, 'compose.yaml'), join(folder, 'other')), /hard link/],
    [
      'outside of the project',
      ({ folder }) => {
        rmSync(join(folder, 'compose.yaml'));
        writeFileSync(join(folder, '../outside.yaml'), PINNED);
        symlinkSync('../outside.yaml', join(folder, 'compose.yaml'));
      },
      /outside of the project's folder/,
    ],
  ])('when the file is %s', async (_, spoil, why) => {
    const project = await pinnedProject(scene);
    spoil(project);
    const update = await updateTo();
    expect(update).toMatchObject({ status: 'succeeded' });
    const line = `in ${project.folder}/compose.yaml, service web, change the line "image: nginx:1.27.3" to "image: nginx:1.27.4"`;
    expect(update.followUp).toContain(line);
    expect(update.followUp).toMatch(why);
    expect(scene.mails().at(-1)?.subject).toContain('one manual step is left');
    expect(
      scene
        .mails()
        .at(-1)
        ?.text.replace(/\s+(!! )?/g, ' '),
    ).toContain(line);
    expect(scene.engine.containerNames()).toEqual(['web-web-1']);
  });

  it('when the disk refuses, with the line of the .env file', async () => {
    const compose = PINNED.replace('1.27.3', '${TAG}');
    const project = await pinnedProject(scene, { files: { 'compose.yaml': compose, '.env': 'TAG=1.27.3\n' } });
    const refusal = new PilotError('project_file_refused', 'It is mounted read-only.');
    scene.deps.projectFiles = { ...scene.deps.projectFiles, replace: () => Promise.reject(refusal) };
    const { followUp } = await updateTo();
    expect(followUp).toContain(
      `in ${project.folder}/.env, service web, change the line "TAG=1.27.3" to "TAG=1.27.4" (line 1)`,
    );
    expect(followUp).toContain('It is mounted read-only.');
    // Once the operator has made just this change, Compose knows the container.
    writeFileSync(join(project.folder, '.env'), 'TAG=1.27.4\n');
    await expectKnownToCompose(project);
  });

  it('when others share the line', async () => {
    const shared = 'services:\n  web: &web\n    image: nginx:1.27.3\n  worker:\n    <<: *web\n';
    const project = await pinnedProject(scene, { files: { 'compose.yaml': shared } });
    const { followUp } = await updateTo();
    expect(followUp).toMatch(
      /compose.yaml, service web, change the line .* \(line 3\)\..*shared with other services by the anchor &web/,
    );
    expect(project.read()).toBe(shared);
  });
});

describe('where Compose will not know the container by the files, it is told that it is made once more', () => {
  const once = /The next "docker compose up -d" re-creates web-web-1 from the same nginx:1.27.4/;

  it('without a Compose', async () => {
    const project = await pinnedProject(scene);
    scene.compose.present = false;
    const update = await updateTo();
    expect(update.followUp).toMatch(once);
    expect(update.followUp).toContain('no Docker Compose');
    expect(project.read()).toContain('1.27.4');
  });

  it('with a hash that is not that of the files: nothing is guessed', async () => {
    const labels = { 'com.docker.compose.config-hash': 'f'.repeat(64) };
    const project = await pinnedProject(scene, { labels });
    expect((await updateTo()).followUp).toMatch(once);
    expect(scene.engine.container('web-web-1').Config.Labels).toMatchObject(labels);
    expect(project.read()).toContain('1.27.4');
  });

  it('with a variable that the container itself holds', async () => {
    const files = { 'compose.yaml': PINNED.replace('1.27.3"', '${TAG}"\n    env_file: .env'), '.env': 'TAG=1.27.3\n' };
    const project = await pinnedProject(scene, { files, way: { readsEnvFile: true } });
    expect((await updateTo()).followUp).toMatch(once);
    expect(project.read('.env')).toBe('TAG=1.27.4\n');
  });
});

it('finds the hash of a service in the network namespace of another one, and of a profile', async () => {
  scene.engine.addImage({ reference: 'edge:1' });
  const edge = scene.engine.runContainer({
    ...{ name: 'web-edge-1', image: 'edge:1' },
    labels: { 'com.docker.compose.project': 'web', 'com.docker.compose.service': 'edge' },
  });
  const compose = PINNED.replace('    restart', '    network_mode: service:edge\n    profiles: [tools]\n    restart');
  await pinnedProject(scene, {
    files: { 'compose.yaml': compose },
    way: { allProfiles: true, joins: { service: 'edge', containerId: edge, implied: true } },
    spec: { ports: {}, hostConfig: { NetworkMode: `container:${edge}` } },
  });
  expect(await updateTo()).toMatchObject({ status: 'succeeded', followUp: null });
});

it('ends the same after a crash at any call to the engine', async () => {
  const whole = await crashed(null);
  expect(whole).toBeGreaterThan(20);
  for (let at = 1; at <= whole; at++) for (const when of ['before', 'after'] as const) await crashed({ at, when });
});

async function crashed(crash: { at: number; when: 'before' | 'after' } | null): Promise<number> {
  const first = openScene();
  const project = await pinnedProject(first);
  first.engine.publish('nginx:1.27.4');
  await requestUpdate(first.deps, { container: 'web-web-1', image: 'nginx:1.27.4' });
  const before = first.engine.callCount;
  let last = first;
  if (crash === null) await first.settle();
  else {
    await Promise.race([first.engine.crashAt(before + crash.at, crash.when), first.settle()]);
    last = first.restart();
    await last.settle();
  }
  const update = last.updates()[0] as Update;
  const where = `crash ${crash?.when} call ${crash?.at}`;
  expect([where, update.status, update.followUp]).toEqual([where, 'succeeded', null]);
  expect([where, project.read()]).toEqual([where, PINNED.replace('1.27.3', '1.27.4')]);
  expect([where, cleanup(update)]).toEqual([where, expect.stringContaining('line 4: "image: nginx:1.27.3" is now')]);
  expect([where, last.engine.containerNames(), readdirSync(project.folder)]).toEqual([
    where,
    ['web-web-1'],
    ['compose.yaml'],
  ]);
  const calls = first.engine.callCount - before;
  last.close();
  return calls;
}
