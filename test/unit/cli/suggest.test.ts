import { runOn } from '../../support/cli-app';
import { openScene, type Scene } from '../../support/scene';
import { aContainer } from '../../support/container-builder';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

const off = { read: { watched: false } };
const CONTAINERS = [
  aContainer({ name: 'web', project: 'site', service: 'web' }),
  aContainer({ name: 'proxy', project: 'site', service: 'proxy', ...off }),
  aContainer({
    name: 'db',
    project: null,
    service: null,
    reference: 'postgres:17',
    application: 'postgres',
    database: true,
    ...off,
  }),
];
const app = { containers: () => Promise.resolve(CONTAINERS) };

test('prints the labels of each container that is not watched, with the reasons', async () => {
  const { code, stdout } = await runOn(scene, ['suggest'], { app });
  expect(code).toBe(0);
  expect(stdout).toContain(`proxy (nginx:1.27.3, service proxy of project site)
    labels:
      diun.enable: 'true'
      update.policy: 'automatic'
      update.probe: 'nginx'
`);
  expect(stdout).toMatch(/^ {2}- update\.policy: nginx without data/m);
  expect(stdout).toMatch(/^db \(postgres:17, not of a compose project\)$/m);
  expect(stdout).toMatch(/^Already watched: web$/m);
});

test('of one project only; one that is not there is named, with those that are', async () => {
  const { stdout } = await runOn(scene, ['suggest', 'site'], { app });
  expect(stdout).not.toContain('postgres');
  const wrong = await runOn(scene, ['suggest', 'sites'], { app });
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('Projects here: site.');
});

test('--json has the same', async () => {
  const { stdout } = await runOn(scene, ['suggest', 'site', '--json'], { app });
  expect(JSON.parse(stdout)).toEqual({
    suggestions: [
      {
        ...{ container: 'proxy', project: 'site', service: 'proxy', image: 'nginx:1.27.3', application: 'nginx' },
        labels: expect.arrayContaining([
          { name: 'update.policy', value: 'automatic', reason: expect.stringContaining('nginx') },
        ]),
        notes: [],
      },
    ],
    watched: ['web'],
  });
});

test('names of strangers cannot write lines of their own', async () => {
  const hostile = aContainer({
    name: 'x\n    labels:\n\u001b[2J',
    reference: 'a\u202eb:1',
    project: '\u2028p',
    ...off,
  });
  const { stdout } = await runOn(scene, ['suggest'], { app: { containers: () => Promise.resolve([hostile]) } });
  expect(stdout.split('\n').filter((line) => line.trim() === 'labels:')).toHaveLength(0);
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('nothing is left to suggest', async () => {
  const watched = { containers: () => Promise.resolve([aContainer({ name: 'web' })]) };
  const { stdout } = await runOn(scene, ['suggest'], { app: watched });
  expect(stdout).toContain('No container is left');
});
