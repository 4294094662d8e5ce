import type { CommandFailed } from '../lab/command';
import type { ComposeProject } from '../lab/compose';
import { engineProxy } from '../support/e2e-engine-proxy';
import { AUTOMATIC } from '../support/e2e-services';
import { imageNamed, namesOf, openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, mailsAbout, updateTo, type UpdateTold } from '../support/e2e-updates';

// Reported: `docker compose up -d` in the middle of an update, when one container was renamed and the other not yet, removed
// what it took for leftovers, and nothing ran afterwards. Now one whole container runs, and the report says what was found.

const stage = openStage();

const CREATE_NEW = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-new-/;
const RENAME_TO_NEW = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-new-/;
const RENAME_TO_OLD = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-old-/;
const RENAME_TO_OWN = /^POST \/containers\/[^/]+\/rename\?name=(?![^&]*\.diun-pilot-)/;
const START = /^POST \/containers\/[^/]+\/start/;
const STOP = /^POST \/containers\/[^/]+\/stop/;
const EXEC = /^POST \/containers\/[^/]+\/exec/;
const READ_FILES = /^GET \/containers\/[^/]+\/archive/;

type Release = 'WRITER_2' | 'WRITER_2_BROKEN';
const STAGES: Record<string, { to: Release; calls: RegExp[] }> = {
  'while the container is stopped for its backup': { to: 'WRITER_2', calls: [STOP, READ_FILES] },
  'between the two renames': { to: 'WRITER_2', calls: [RENAME_TO_OLD, RENAME_TO_OWN] },
  'during the health check': { to: 'WRITER_2', calls: [CREATE_NEW, START, EXEC] },
  'when the rollback is about to start the old one': { to: 'WRITER_2_BROKEN', calls: [RENAME_TO_NEW, START] },
};
const COMMANDS: Record<string, string[]> = {
  'docker compose up -d': ['up', '--detach'],
  'docker compose rm -sf': ['rm', '--stop', '--force'],
};

interface After {
  update: UpdateTold;
  mail: string;
}

let made = 0;

async function updateWhile(command: string[], { to, calls }: { to: Release; calls: RegExp[] }): Promise<After> {
  const { lab } = stage;
  const tag = `meanwhile-${++made}/writer:stable`;
  const reference = lab.registry.reference(tag);
  await lab.registry.publishAndPull(lab.images.WRITER_1, tag);
  const labels = { ...AUTOMATIC, 'update.probe': 'exec:test -e /dev/shm/ready', 'update.probe.timeout': '10s' };
  const writer = {
    image: reference,
    labels: { ...labels, 'backup.kind': 'files', 'backup.paths': '/data' },
    restart: 'always',
    stop_grace_period: '1s',
    volumes: ['data:/data', 'lock:/lock'],
  };
  const volumes = { data: {}, lock: {} };
  const project = await stage.project(`meanwhile-${made}`, { writer }, { top: { volumes } });
  const name = await project.containerName('writer');
  const proxy = engineProxy((await stage.seeing(project.name)).lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  const digest = await lab.registry.publish(lab.images[to], tag);
  // Both act on the same names: Compose may be the one that fails.
  const acted = proxy.meanwhile(calls, () => project.compose(command).catch((failed: CommandFailed) => failed));
  await announce(pilot, reference, digest);
  await updateTo(pilot, name, digest);
  await acted;
  const update = await endOfUpdate(pilot, name, digest, 300_000);
  await expectOneWhole(project, name, reference);
  const failed = update['status'] !== 'succeeded';
  await mailsAbout(pilot, name, failed ? 2 : 1);
  const mail = (await pilot.mails()).find(({ subject }) => !subject?.includes('update available'));
  await pilot.stop();
  return { update, mail: mail?.text?.replaceAll(/\s+/g, ' ') ?? '' };
}

async function expectOneWhole(project: ComposeProject, name: string, reference: string): Promise<void> {
  const { lab } = stage;
  expect(await namesOf(lab, project)).toEqual([name]);
  // By its name: an `up -d` that failed leaves a container of its own that was never started.
  const container = (await lab.docker.inspect('container', name)) ?? {};
  expect([container['State'].Status, container['HostConfig'].RestartPolicy.Name]).toEqual(['running', 'always']);
  expect(await imageNamed(lab, reference)).toBe(container['Image']);
  expect(Object.keys(container['NetworkSettings'].Networks)).toEqual([`${project.name}_default`]);
  expect(await lab.docker.run(['exec', name, 'cat', '/lock/log'])).not.toContain('CONFLICT');
}

describe.each(Object.entries(COMMANDS))('%s', (_command, command) => {
  it.each(Object.entries(STAGES))('%s: one whole container runs, and the report says what was found', async (_, at) => {
    const { update, mail } = await updateWhile(command, at);
    // Compose started what was stopped for the backup, or it failed at the names: then nothing else was changed.
    if (update['status'] === 'succeeded') return expect(command[0]).toBe('up');
    expect(update['error'].code).toBe('changed_meanwhile');
    const [found = ''] = String(update['error'].message).split('\n');
    expect(mail).toContain(found.replaceAll(/\s+/g, ' '));
  });
});
