import { chownSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { composeProject, type ComposeProject } from '../lab/compose';
import { buildPilotImage } from '../lab/images/pilot-image';
import { viewSocket } from '../lab/lab';
import { NO_SCHEDULES } from '../lab/pilot';
import { AUTOMATIC, composeYaml, nginxService, SITE } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import type { UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// diun-pilot in its own image, with the folder of a project mounted at the same path, as the README says.
const stage = openStage();
const TOKEN = 'token-of-the-new-tag-test';
let image: string;

beforeAll(async () => {
  image = await buildPilotImage(stage.lab);
});

const reference = (name: string, tag: string): string =>
  stage.lab.registry.reference(`in-container-${name}/nginx:${tag}`);

/** A project on 1.27.3 whose files belong to 1000, and diun-pilot as that user. */
async function openBoth(name: string, mount: (folder: string) => string) {
  const { registry, images } = stage.lab;
  await registry.publishAndPull(images.NGINX_GOOD_1, `in-container-${name}/nginx:1.27.3`);
  const project = await stage.project(
    `in-${name}`,
    { web: nginxService(reference(name, '1.27.3'), AUTOMATIC) },
    { files: SITE },
  );
  for (const path of [project.dir, project.file]) chownSync(path, 1000, 1000);
  const socket = viewSocket(stage.lab);
  const service = {
    image,
    labels: {},
    environment: { ...NO_SCHEDULES, PILOT_API_TOKEN: TOKEN },
    group_add: [String(statSync(socket).gid)],
    ports: ['127.0.0.1::8080'],
    volumes: ['/data', `${socket}:/var/run/docker.sock`, mount(project.dir)],
  };
  const pilot = composeProject(stage.lab, `pilot-${name}`, composeYaml({ pilot: service }));
  stage.closing(() => pilot.down());
  await pilot.up();
  return { project, pilot };
}

async function updatedBy(pilot: ComposeProject, name: string, container: string): Promise<UpdateTold> {
  const { registry, images } = stage.lab;
  await registry.publish(images.NGINX_GOOD_2, `in-container-${name}/nginx:1.27.4`);
  const url = await pilot.url('pilot', 8080);
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ container, image: reference(name, '1.27.4') });
  const ask = async () => (await fetch(`${url}/updates`, { method: 'POST', headers, body })).json();
  const { id } = (await eventually('it is asked', ask)) as { id: string };
  const ended = async () => {
    const update = (await (await fetch(`${url}/updates/${id}`, { headers })).json()) as UpdateTold;
    if (!['queued', 'running'].includes(String(update['status']))) return update;
    throw new Error(JSON.stringify(update['steps']));
  };
  return eventually('the update ends', ended);
}

it('writes the tag as the owner of the files, and the Compose in the image tells the hash', async () => {
  const { project, pilot } = await openBoth('folder', (folder) => `${folder}:${folder}`);
  const before = readFileSync(project.file, 'utf8');
  const update = await updatedBy(pilot, 'folder', await project.containerName('web'));
  expect(update).toMatchObject({ status: 'succeeded', followUp: null });
  expect(readFileSync(project.file, 'utf8')).toBe(before.replace('1.27.3', '1.27.4'));
  expect([statSync(project.file).uid, statSync(project.file).gid]).toEqual([1000, 1000]);
  const { Id } = await project.container('web');
  expect((await project.up()).recreated).toEqual([]);
  expect((await project.container('web'))['Id']).toBe(Id);
});

it('leaves a file that is mounted as a single file, and tells to mount the folder', async () => {
  const { project, pilot } = await openBoth(
    'file',
    (folder) => `${join(folder, 'docker-compose.yml')}:${join(folder, 'docker-compose.yml')}`,
  );
  const before = readFileSync(project.file, 'utf8');
  const update = await updatedBy(pilot, 'file', await project.containerName('web'));
  expect(update).toMatchObject({ status: 'succeeded' });
  expect(update['followUp']).toContain(`change the line "image: ${reference('file', '1.27.3')}"`);
  expect(update['followUp']).toMatch(/mount the folder of the project writable/);
  expect(readFileSync(project.file, 'utf8')).toBe(before);
});
