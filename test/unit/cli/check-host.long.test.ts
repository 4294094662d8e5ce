import { linkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reconcile } from '../../../src/decisions/reconcile';
import { systemClock } from '../../../src/lib/clock';
import type { Scripts } from '../../support/fake-engine-types';
import { runOn } from '../../support/cli-app';
import { pinnedProject } from '../../support/pinned-project';
import { openRenewalScene } from '../../support/renewal-scene';
import { nginx, openScene, type Scene } from '../../support/scene';

// What `check` tells of the containers of the host. All of it are notes: the service works.

let scene: Scene;
afterEach(() => scene.close());

/** Storage and mail are real files, which a clock that jumps would not wait for; what is told is as of the scene's time. */
async function check(): Promise<string> {
  const clock = { ...systemClock, now: () => scene.clock.now() };
  const { code, stdout } = await runOn(scene, ['check'], { app: { clock } });
  expect(code).toBe(0);
  return stdout;
}

describe('a newer tag', () => {
  const WATCHES = { 'diun.watch_repo': 'true' };
  beforeEach(() => {
    scene = openScene();
  });

  test('is told to be written into the file that names it, and looking writes nothing', async () => {
    const { folder, read } = await pinnedProject(scene, { labels: WATCHES });
    const file = join(folder, 'compose.yaml');
    const before = { text: read(), at: statSync(file).mtimeMs };
    expect(await check()).toMatch(new RegExp(`^ok +New tags +web-web-1: written into ${file}$`, 'm'));
    expect({ text: read(), at: statSync(file).mtimeMs }).toEqual(before);
  });

  test('is told to go into .env, where the image line takes it from there', async () => {
    const compose = 'services:\n  web:\n    image: nginx:${NGINX_TAG}\n';
    const files = { 'compose.yaml': compose, '.env': 'NGINX_TAG=1.27.3\n' };
    const { folder } = await pinnedProject(scene, { labels: WATCHES, files });
    expect(await check()).toContain(`web-web-1: written into ${join(folder, '.env')}`);
  });

  test.each([
    [
      'the folder is not mounted',
      { labels: { ...WATCHES, 'com.docker.compose.project.config_files': '/srv/nowhere/c.yaml' } },
      /c\.yaml is not there: mount the folder/,
    ],
    [
      'another service shares the value',
      { labels: WATCHES, files: { 'compose.yaml': 'services:\n  web: &a\n    image: nginx:1.27.3\n  b: *a\n' } },
      /anchor|shared|takes/,
    ],
    [
      'the file names something else',
      { labels: WATCHES, files: { 'compose.yaml': 'services:\n  web:\n    image: nginx:1.26.0\n' } },
      /names nginx:1\.26\.0 there/,
    ],
  ])('is told to be left to the operator where %s', async (_what, project, why) => {
    await pinnedProject(scene, project);
    expect(await check()).toMatch(
      new RegExp(
        `^note +New tags +web-web-1: change the tag yourself after each update; diun-pilot cannot write it: .*(${why.source})`,
        'm',
      ),
    );
  });

  test('is told to be left to the operator where the file has a second name', async () => {
    const { folder } = await pinnedProject(scene, { labels: WATCHES });
    linkSync(join(folder, 'compose.yaml'), join(folder, 'second.yaml'));
    expect(await check()).toMatch(/^note +New tags +web-web-1: .*a second name \(a hard link\)/m);
  });

  test('is not spoken of where none is looked for', async () => {
    await pinnedProject(scene);
    expect(await check()).not.toContain('New tags');
  });
});

describe('backup sets', () => {
  beforeEach(() => {
    scene = openScene();
    scene.engine.addImage({ reference: 'nginx:stable' });
  });
  const files = { 'backup.kind': 'files', 'backup.paths': '/data' };
  const taken = (): void => {
    const { id } = scene.store.backups.insert({ project: 'web', container: null, reason: 'schedule', updateId: null });
    const startedAt = scene.clock.now().toISOString();
    scene.store.backups.change(id, { status: 'succeeded', startedAt, bytes: 2048 });
  };

  test('are told with the age of the last good one', async () => {
    scene.engine.runContainer(nginx({ labels: files }));
    taken();
    await scene.clock.advance(5 * 3_600_000);
    expect(await check()).toMatch(/^ok +Backup set +web: last good backup 5 h ago \(.*\), 2\.0 KiB$/m);
  });

  test('are a note where the last good one is too old, or there is none', async () => {
    scene.engine.runContainer(nginx({ labels: files }));
    expect(await check()).toMatch(/^note +Backup set +web: no good backup yet; `diun-pilot backup` takes one$/m);
    taken();
    scene.store.timers.keep('backup', { expression: '0 2 * * *', timeZone: 'UTC' }, scene.clock.now().toISOString());
    await scene.clock.advance(4 * 24 * 3_600_000);
    expect(await check()).toMatch(/^note +Backup set +web: last good backup 4 days ago .*; too old: see/m);
  });

  test('are none where nothing is labelled', async () => {
    scene.engine.runContainer(nginx());
    expect(await check()).toMatch(/^ok +Backup set +none: no container has the label backup\.kind$/m);
  });
});

describe('probes', () => {
  beforeEach(() => {
    scene = openScene();
    scene.engine.addImage({ reference: 'nginx:stable', scripts: { 'ask-health': {} } });
  });
  const runs = (name: string, probe: string, more = {}) =>
    scene.engine.runContainer(nginx({ name, ports: {}, labels: { 'update.probe': probe, ...more } }));

  test('that fail now are a note with what to do, before an update finds out', async () => {
    runs('well', 'exec:ask-health');
    runs('wrong', 'exec:ask-wealth');
    runs('not-watched', 'exec:ask-wealth', { 'diun.enable': 'false' });
    const told = await check();
    expect(told).toMatch(/^ok +Probe +well: all checks passed$/m);
    expect(told).toMatch(
      /^note +Probe +wrong currently fails its own health check: ask-wealth exits 127: .*if wrong works, fix its label update\.probe/m,
    );
    expect(told).not.toMatch(/not-watched does not/);
  });

  test('are asked once more before they are told of', async () => {
    let asked = 0;
    scene.engine.addImage({
      reference: 'nginx:stable',
      scripts: { busy: () => ({ exitCode: asked++ === 0 ? 1 : 0 }) },
    });
    runs('busy', 'exec:busy');
    expect(await check()).toMatch(/^ok +Probe +busy: /m);
  });
});

describe('certificates', () => {
  test('are told with the days they have left', async () => {
    const world = openRenewalScene();
    ({ scene } = world);
    expect(await check()).toMatch(/^ok +Certificate +git\.example\.org: served: 60 days left, valid until /m);
    world.served = world.certificate(70);
    expect(await check()).toMatch(
      /^note +Certificate +git\.example\.org: .*has not loaded what is on disk: run `diun-pilot renew`$/m,
    );
    world.served = world.first;
    await scene.clock.advance(50 * 24 * 3_600_000);
    expect(await check()).toMatch(
      /^note +Certificate +git\.example\.org: served: \d+ days left.*; near expiry: run `diun-pilot renew`$/m,
    );
    world.served = null;
    expect(await check()).toMatch(/^note +Certificate +git\.example\.org: on disk: .*; .+/m);
  });
});

test('another diun-pilot on the engine is a note with what to do', async () => {
  scene = openScene();
  const Labels = { 'org.opencontainers.image.title': 'diun-pilot' };
  scene.engine.addImage({
    reference: 'diun-pilot:latest',
    config: { Entrypoint: ['node', '/app/dist/main.js'], Cmd: [], Labels },
  });
  scene.engine.runContainer({ name: 'other-diun-pilot-1', image: 'diun-pilot:latest' });
  expect(await check()).toMatch(
    /^note +Other pilot +another diun-pilot runs in the container other-diun-pilot-1 on this engine: .*stop the other/m,
  );
  await reconcile(scene.deps);
  expect(scene.log).toContainEqual(expect.objectContaining({ container: 'other-diun-pilot-1', level: 'warn' }));
});

test('where nothing is watched it is told what to do about it', async () => {
  scene = openScene();
  expect(await check()).toMatch(
    /^note +Watched +nothing: give each service .*diun\.enable: "true".*docker compose up -d/m,
  );
});

describe('release notes', () => {
  const SOURCE = 'org.opencontainers.image.source';
  const run = (labels: Record<string, string>, source?: string): void => {
    scene = openScene();
    const config = source === undefined ? {} : { config: { Labels: { [SOURCE]: source } } };
    scene.engine.addImage({ reference: 'nginx:stable', ...config });
    scene.engine.runContainer(nginx({ labels }));
  };
  const about = (report: string) => report.split('\n').filter((line) => line.includes('Release notes'));

  test.each<[string, Record<string, string>, string | undefined, RegExp | null]>([
    ['nothing is asked', {}, undefined, null],
    ['a public forge', { 'update.ask-on': 'breaking' }, 'https://github.com/nginx/nginx', null],
    ['a host that is not listed', {}, 'https://git.example.org/a/b', /list git\.example\.org in PILOT_NOTES_HOSTS/],
    ['an address without a project', {}, 'https://github.com/', /is not the address of a repository or a changelog/],
    [
      'no source, and update.ask-on',
      { 'update.ask-on': 'security' },
      undefined,
      /no source .* Until then update\.ask-on asks/,
    ],
  ])('%s', async (_, labels, source, words) => {
    run(labels, source);
    const lines = about(await check());
    expect(lines).toEqual(words === null ? [] : [expect.stringMatching(words)]);
  });

  test('a token for a host that is never asked', async () => {
    run({});
    const env = { PILOT_NOTES_TOKENS: 'git.example.org=s3cret,github.com=t0ken' };
    const clock = { ...systemClock, now: () => scene.clock.now() };
    const { stdout } = await runOn(scene, ['check'], { env, app: { clock } });
    expect(about(stdout)).toEqual([expect.stringMatching(/a token for git\.example\.org, which is never asked/)]);
    expect(stdout).not.toMatch(/s3cret|t0ken/);
  });
});

describe('the disk of the engine', () => {
  beforeEach(() => {
    scene = openScene();
  });
  const withFree = (freeKib: number | null): void => {
    const stdout = `Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 1 1 ${freeKib} 99% /\n`;
    const scripts: Scripts = freeKib === null ? {} : { 'df -Pk /': { stdout } };
    scene.engine.addImage({ reference: 'nginx:stable', scripts });
    scene.engine.runContainer(nginx());
  };

  test.each([
    [
      1024 * 1024,
      /^note +Disk +the disk of the Docker Engine is nearly full: only 1\.0 GiB free.*docker image prune -a/m,
    ],
    [50 * 1024 * 1024, /^ok +Disk +50\.0 GiB free on the disk of the Docker Engine$/m],
    [null, /^ok +Disk +free space not known: no watched container has `df`$/m],
  ])('is read now: %s KiB free', async (freeKib, line) => {
    withFree(freeKib);
    expect(await check()).toMatch(line);
  });

  test('is not spoken of where nothing runs in which it could be read', async () => {
    expect(await check()).not.toContain('Disk');
  });
});
