import { readFile } from 'node:fs/promises';
import type { ComposeProject } from '../lab/compose';
import { startedAt } from '../support/e2e-stage';
import { AUTOMATIC, type Service } from '../support/e2e-services';
import { announce, endOfUpdate, mailsAbout } from '../support/e2e-updates';
import { detailOf, openKept } from '../support/field-kept';

// What a new container cannot have exactly as the old one had it is refused before anything is stopped, or reported.
jest.setTimeout(900_000);

const { stage, pilot, tagOf, imageOf, projectOf, updated, expectRefusedUntouched, as386 } = openKept();

it('refuses an update whose backup paths are not in a volume, since they would be lost with the container', async () => {
  const labels = { ...AUTOMATIC, 'backup.kind': 'files', 'backup.paths': '/data' };
  const project = await projectOf('unmounted', { labels });
  await project.exec('unmounted', 'sh', '-c', 'mkdir -p /data && echo precious > /data/file');
  await expectRefusedUntouched(project, 'unmounted', /backup\.paths: \/data is not in a volume/);
  expect(await project.exec('unmounted', 'cat', '/data/file')).toContain('precious');
});

it('warns of files in the layer of the container, in the plan and in the update, and leaves out temporary ones', async () => {
  const project = await projectOf('layer', { labels: { ...AUTOMATIC, 'update.policy': 'manual' } });
  const name = await project.containerName('layer');
  await project.exec('layer', 'sh', '-c', 'mkdir -p /srv/app && echo x > /srv/app/uploads.db && echo y > /tmp/t.bin');
  const digest = await stage.lab.registry.publish(stage.lab.images.NGINX_GOOD_2, tagOf('layer'));
  await announce(pilot(), imageOf('layer'), digest);
  const asked = await endOfUpdate(pilot(), name, digest);
  expect(asked['status']).toBe('awaiting_approval');
  await mailsAbout(pilot(), name, 1);
  const mail = (await pilot().mails()).find(({ subject }) => subject?.includes(name));
  expect(mail?.text?.replaceAll(/\s+/g, ' ')).toContain('/srv/app/uploads.db');
  expect(mail?.text).not.toContain('/tmp/t.bin');
});

it('refuses an index that no longer has the platform of the container', async () => {
  const project = await projectOf('gone', {});
  const image = await as386('NGINX_GOOD_2');
  const digest = await stage.lab.registry.publish(image, tagOf('gone'));
  const before = await project.container('gone');
  await announce(pilot(), imageOf('gone'), digest);
  const update = await endOfUpdate(pilot(), await project.containerName('gone'), digest);
  expect(update).toMatchObject({
    status: 'failed',
    error: { code: 'recreate_refused', message: expect.stringMatching(/platform: .*linux\/amd64.*linux\/386/) },
  });
  expect(startedAt(await project.container('gone'))).toBe(startedAt(before));
});

it.each(['pid', 'ipc'])('refuses to replace a container that lends its %s namespace', async (kind) => {
  const service = `lends-${kind}`;
  const sidecar = { image: imageOf(service), command: ['sleep', '1000'], [kind]: `service:${service}`, labels: {} };
  const project = await projectOf(service, kind === 'ipc' ? { ipc: 'shareable' } : {}, {
    services: { sidecar: sidecar as Service },
  });
  await expectRefusedUntouched(project, service, new RegExp(`${kind}: .*sidecar.* would lose it`));
  expect((await project.container('sidecar'))['State'].Running).toBe(true);
});

it('refuses a service with post_start hooks, which only Compose runs', async () => {
  const project = await projectOf('hooks', {});
  // Compose of the lab is older than the hooks; the running container does not show them in any version.
  const before = JSON.parse(await readOf(project)) as { services: Record<string, object> };
  const services = { hooks: { ...before.services['hooks'], post_start: [{ command: ['touch', '/ready'] }] } };
  project.write(JSON.stringify({ ...before, services }));
  await expectRefusedUntouched(project, 'hooks', /post_start: .*only Compose runs/);
});

it('says that a server under a shell was killed at its handover, and does not say that it drained', async () => {
  const command = ['sh', '-c', 'nginx -g "daemon off;"; true'];
  const labels = { ...AUTOMATIC, 'update.strategy': 'handover' };
  const service = { labels, command, ports: [], stop_grace_period: '1s', networks: ['front'] };
  const project = await projectOf('shell', service, { networks: { front: {} } });
  const update = await updated(project, 'shell', 'shell');
  expect(update).toMatchObject({ status: 'succeeded' });
  const detail = detailOf(update, 'health_check');
  expect(detail).toMatch(/was killed.*exit code 137/);
  expect(detail).not.toContain('has drained');
});

async function readOf(project: ComposeProject): Promise<string> {
  return readFile(project.file, 'utf8');
}
