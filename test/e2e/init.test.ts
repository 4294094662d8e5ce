import { statSync } from 'node:fs';
import { parse } from 'yaml';
import { composeProject, type ComposeProject } from '../lab/compose';
import { freePort } from '../lab/free-port';
import { buildPilotImage } from '../lab/images/pilot-image';
import { viewSocket, type Lab } from '../lab/lab';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// The newcomer's path: `docker run diun-pilot init > compose.yaml && docker compose up -d`, with the real Compose and engine.
// It sees its own containers only: another file's registry that does not answer is none of its business.
const stage = openStage();
let lab: Lab;
let image: string;
const projects: ComposeProject[] = [];

beforeAll(async () => {
  lab = stage.lab;
  image = await buildPilotImage(lab);
});
afterEach(async () => {
  for (const project of projects.splice(0)) await project.down();
});

/** What `init` prints in a container, with the socket mounted as the docs say. */
function printed(...options: string[]): Promise<string> {
  const socket = ['--volume', `${viewSocket(lab)}:/var/run/docker.sock`];
  return lab.docker.run(['run', '--rm', '--label', lab.label, ...socket, image, 'init', ...options]);
}

function project(yaml: string): ComposeProject {
  const made = composeProject(lab, 'init', yaml, { '.env': `DOCKER_SOCKET=${viewSocket(lab)}\n` });
  projects.push(made);
  return made;
}

interface File {
  services: { 'diun-pilot': { environment: Record<string, string>; group_add: string[] } };
}

test.each([[[]], [['--no-diun']]])('init %j passes `docker compose config`', async (options) => {
  const file = await printed(...options);
  const { code, stdout, stderr } = await lab.docker.attempt([
    ...['compose', '--file', project(file).file, 'config', '--format', 'json'],
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const services = Object.keys((JSON.parse(stdout) as File).services);
  expect(services).toEqual(options.length === 0 ? ['diun', 'diun-pilot'] : ['diun-pilot']);
  expect((parse(file) as File).services['diun-pilot'].group_add).toEqual([String(statSync(viewSocket(lab)).gid)]);
});

test('the file of init --no-diun comes up healthy, reaches Docker, and its password opens the page', async () => {
  const file = await printed('--no-diun');
  const { PILOT_API_TOKEN: password = '' } = (parse(file) as File).services['diun-pilot'].environment;
  const port = await freePort();
  // Only what this machine may have already: the tag of the image, and the port.
  const here = file
    .replace('image: diun-pilot:latest', `image: ${image}`)
    .replace('127.0.0.1:8080:', `127.0.0.1:${port}:`);
  const pilot = project(here);
  await pilot.up();
  const health = async (): Promise<boolean> =>
    (await pilot.container('diun-pilot'))['State'].Health.Status === 'healthy';
  await eventually('it is healthy', health);
  const answer = (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { checks: { docker: unknown } };
  expect(answer.checks.docker).toMatchObject({ status: 'ok' });
  const page = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { Authorization: `Basic ${Buffer.from(`operator:${password}`).toString('base64')}` },
  });
  expect(page.status).toBe(200);

  // Nothing is changed, and the guarded engine reads what the plain one reads.
  const before = (await pilot.container('diun-pilot'))['Id'];
  pilot.write(here.replace('PILOT_MODE: act', 'PILOT_MODE: observe'));
  await pilot.up();
  expect((await pilot.container('diun-pilot'))['Id']).not.toBe(before);
  await eventually('it is healthy again', health);
  const observing = (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as {
    checks: Record<string, { status: string; reason?: string }>;
  };
  expect(observing.checks['docker']).toMatchObject({ status: 'ok' });
  expect(observing.checks['scheduler']).toMatchObject({ status: 'ok', reason: expect.stringContaining('observes') });
  expect(await pilot.exec('diun-pilot', 'diun-pilot', 'check')).toMatch(/^note +Mode +diun-pilot observes/m);
  const suggested = await pilot.exec('diun-pilot', 'diun-pilot', 'suggest', '--json');
  expect(JSON.parse(suggested)).toMatchObject({ suggestions: expect.any(Array), watched: expect.any(Array) });
});
