import { createReleaseNotes } from '../../src/adapters/release-notes/release-notes';
import { readApproval } from '../../src/decisions/approval-links';
import { readContainers } from '../../src/containers/read-containers';
import { notesDeadline, readNotes } from '../../src/decisions/read-notes';
import { reconcile } from '../../src/decisions/reconcile';
import { requestUpdate } from '../../src/decisions/request-update';
import type { Container } from '../../src/domain/container';
import type { Update } from '../../src/domain/update';
import { confirmPage } from '../../src/http/pages/confirm-page';
import { startForge, type ForgeServer } from '../support/forge-server';
import { nginx, openScene, type Scene } from '../support/scene';

const SOURCE = 'org.opencontainers.image.source';
const VERSION = 'org.opencontainers.image.version';
const CALM = [
  { tag: 'v1.27.2', text: '## Fixes\n- a leak' },
  { tag: 'v1.27.1', text: '## Features\n- a page' },
  { tag: 'v1.27.0', text: '## Breaking changes\n- long ago' },
];
const BREAKING = [
  { tag: 'v1.27.2', text: '## Fixes' },
  { tag: 'v1.27.1', text: '## Breaking changes\n- a key was renamed' },
  ...CALM.slice(2),
];

let scene: Scene;
let forge: ForgeServer;
beforeEach(async () => {
  scene = openScene();
  forge = await startForge('gitea', CALM);
  listForge();
});
afterEach(async () => {
  scene.close();
  await forge.close();
});

/** As PILOT_NOTES_HOSTS does. */
function listForge(withinMs?: number): void {
  const hosts = [{ host: '127.0.0.1', port: forge.port }];
  const { store, clock } = scene.deps;
  const parts = { hosts, tokens: new Map(), cache: store.notesCache, now: () => clock.now() };
  scene.deps.releaseNotes = createReleaseNotes({ ...parts, ...(withinMs !== undefined && { withinMs }) });
}

const last = (): Update => scene.updates().at(-1) as Update;
const labelled = (labels: Record<string, string>) => ({ config: { Labels: labels } });
/** A container of `nginx:1.27.0`, `diun.watch_repo` as Diun has it for new tags. */
function run(labels: Record<string, string> = {}, image: Record<string, string> = {}): void {
  scene.engine.addImage({ reference: 'nginx:1.27.0', ...labelled(image) });
  scene.engine.runContainer(nginx({ image: 'nginx:1.27.0', labels: { 'diun.watch_repo': 'true', ...labels } }));
}
async function publish(reference = 'nginx:1.27.2', image: Record<string, string> = {}): Promise<string> {
  const { digest } = scene.engine.publish(reference, labelled(image));
  scene.hear(`docker.io/library/${reference}`, digest);
  await scene.settle();
  return digest;
}
const mail = (kind: string) => scene.mails().find((each) => each.kind === kind)?.text ?? '';
const RELEASES = () => `${forge.project}/releases`;

describe('the source', () => {
  test('is update.notes, and the notes of every version between are read', async () => {
    run({ 'update.notes': forge.project });
    await publish();
    expect(last()).toMatchObject({
      status: 'succeeded',
      notes: { url: RELEASES(), versions: ['v1.27.2', 'v1.27.1'], flags: [], problem: null },
    });
    expect(mail('update_available')).toContain('Release notes of v1.27.2, v1.27.1 were read.');
    expect(mail('update_available')).toContain(RELEASES());
  });

  test('is the label of the new image', async () => {
    run({}, { [SOURCE]: 'https://example.org/' });
    await publish('nginx:1.27.2', { [SOURCE]: forge.project });
    expect(last().notes).toMatchObject({ url: RELEASES(), versions: ['v1.27.2', 'v1.27.1'] });
    expect(last().notes?.problem).toMatch(/names another source than before \(https:\/\/example\.org\/\)/);
  });

  test('is else the label of the old image', async () => {
    run({}, { [SOURCE]: forge.project });
    await publish();
    expect(last().notes).toMatchObject({ versions: ['v1.27.2', 'v1.27.1'], problem: null });
  });

  test('of an image is a project, never a file that the image chooses', async () => {
    forge.instead = () => ({ status: 200, body: '# 1.27.2\nread' });
    const file = `http://${forge.host}/team/private/raw/branch/main/secret.md`;
    run({}, { [SOURCE]: file });
    await publish('nginx:1.27.2', { [SOURCE]: file });
    expect(last().notes).toMatchObject({
      versions: [],
      problem: expect.stringMatching(/not the address of a repository/),
    });
    expect(forge.requests).toEqual([]);
  });

  test('of an image that is no address, read as one or put together, stops no event', async () => {
    run({}, { [SOURCE]: 'https://github.com/.git/:' });
    await publish('nginx:1.27.2', { [SOURCE]: 'https://gitlab.com/api/v4/projects/%2F%3A' });
    expect(last()).toMatchObject({ status: 'succeeded', notes: { versions: [] } });
  });

  test('may be a changelog that the operator names', async () => {
    forge.instead = () => ({ status: 200, body: '# 1.27.2\nread\n# 1.27.0\nold' });
    run({ 'update.notes': `http://${forge.host}/team/app/raw/branch/main/CHANGES.md` });
    await publish();
    expect(last().notes).toMatchObject({ versions: ['1.27.2'], problem: null });
  });

  test('is a label of the container only if the operator set it', async () => {
    run({}, { 'update.notes': forge.project });
    await publish();
    expect(last().notes).toBeNull();
    expect(forge.requests).toEqual([]);
  });
});

describe('the versions', () => {
  test('of a moving tag are those of the labels', async () => {
    scene.engine.addImage({ reference: 'nginx:stable', ...labelled({ [VERSION]: '1.27.0' }) });
    scene.engine.runContainer(nginx({ labels: { 'update.notes': forge.project } }));
    await publish('nginx:stable', { [VERSION]: '1.27.2' });
    expect(last().notes).toMatchObject({ versions: ['v1.27.2', 'v1.27.1'], problem: null });
  });

  test('are not known of a moving tag without labels: link only', async () => {
    scene.engine.addImage({ reference: 'nginx:stable' });
    scene.engine.runContainer(nginx({ labels: { 'update.notes': forge.project } }));
    await publish('nginx:stable');
    expect(last()).toMatchObject({ status: 'succeeded', notes: { url: RELEASES(), versions: [], flags: [] } });
    expect(last().notes?.problem).toMatch(/The tag stable does not name a version/);
    expect(forge.requests).toEqual([]);
  });

  test('of a rebuilt tag are the same: nothing is read, and nothing is wrong', async () => {
    run({ 'update.notes': forge.project, 'update.ask-on': 'breaking' });
    await publish('nginx:1.27.0');
    expect(last()).toMatchObject({ status: 'succeeded', notes: { versions: [], problem: null } });
  });
});

describe('update.ask-on', () => {
  const ASKS = { 'update.ask-on': 'breaking' };

  test('turns an automatic update into a request, with the words as the reason', async () => {
    forge.releases = BREAKING;
    run({ 'update.notes': forge.project, ...ASKS });
    await publish();
    expect(last()).toMatchObject({ status: 'awaiting_approval', notes: { flags: ['breaking'] } });
    expect(last().reason).toBe(
      'web-nginx-1: patch update from 1.27.0 to 1.27.2. The update waits for approval: its release notes mention breaking changes (v1.27.1: “Breaking changes”), and update.ask-on is breaking.',
    );
    expect(mail('critical_update_available')).toContain('They mention breaking changes.');
  });

  test('lets an update through whose notes do not mention it', async () => {
    run({ 'update.notes': forge.project, ...ASKS });
    await publish();
    expect(last().status).toBe('succeeded');
  });

  test('asks for other words only if they are listed', async () => {
    forge.releases = BREAKING;
    run({ 'update.notes': forge.project, 'update.ask-on': 'security, migration' });
    await publish();
    expect(last()).toMatchObject({ status: 'succeeded', notes: { flags: ['breaking'] } });
  });

  test.each([
    ['no source is known', {}, /no source of release notes is known/],
    [
      'the host is not listed',
      { 'update.notes': 'https://git.example.org/a/b' },
      /list git\.example\.org in PILOT_NOTES_HOSTS/,
    ],
  ])('asks if the notes cannot be read: %s', async (_, labels, why) => {
    run({ ...labels, ...ASKS });
    await publish();
    expect(last().status).toBe('awaiting_approval');
    expect(last().reason).toMatch(why);
  });

  test('asks if the project has no release of the target yet', async () => {
    run({ 'update.notes': forge.project, ...ASKS });
    await publish('nginx:1.27.3');
    expect(last().status).toBe('awaiting_approval');
    expect(last().reason).toMatch(/not read as a whole: The project lists no release of 1\.27\.3\.$/);
  });

  test('asks if the forge fails, and an approved update runs', async () => {
    forge.instead = () => ({ status: 500 });
    run({ 'update.notes': forge.project, ...ASKS });
    await publish();
    expect(last()).toMatchObject({ status: 'awaiting_approval' });
    await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    await scene.settle();
    expect(last().status).toBe('succeeded');
  });

  test('with a word that is not known, nothing is automatic', async () => {
    run({ 'update.notes': forge.project, 'update.ask-on': 'braking' });
    await publish();
    expect(last().status).toBe('awaiting_approval');
  });
});

describe('a missing answer', () => {
  test('changes nothing, and is reported', async () => {
    forge.instead = () => ({ status: 404 });
    run({ 'update.notes': forge.project });
    await publish();
    expect(last()).toMatchObject({ status: 'succeeded', notes: { url: RELEASES(), versions: [] } });
    expect(last().notes?.problem).toMatch(/does not know the project \(404\)/);
    expect(scene.log).toContainEqual(expect.objectContaining({ message: 'release notes were not read as a whole' }));
    expect(mail('update_available')).toMatch(/Release notes were not read: .* does not know the project/);
  });

  test('of a forge that hangs delays the decision by its time only', async () => {
    listForge(300);
    forge.instead = () => 'hang';
    run({ 'update.notes': forge.project });
    await publish();
    expect(last()).toMatchObject({ status: 'succeeded' });
    expect(last().notes?.problem).toMatch(/does not answer/);
  });

  test('of anything does not outlast the deadline of the pass', async () => {
    listForge();
    forge.instead = () => 'hang';
    run({}, { [SOURCE]: forge.project });
    const [container] = await readContainers(scene.engine, null);
    const target = { reference: 'nginx:1.27.2', digest: scene.engine.publish('nginx:1.27.2').digest };
    const never = { config: () => new Promise<never>(() => undefined) };
    const notes = await readNotes(scene.deps, container as Container, target, {
      registry: never,
      signal: notesDeadline(100),
    });
    expect(notes).toMatchObject({ versions: [], problem: 'The time for reading was over.' });
  });

  test('of the registry: the old image says the source, and the tags the versions', async () => {
    run({}, { [SOURCE]: forge.project });
    const images = scene.deps.registryImages;
    scene.deps.registryImages = { ...images, configOf: () => Promise.reject(new Error('away')) };
    await publish();
    expect(last()).toMatchObject({ status: 'succeeded', notes: { versions: ['v1.27.2', 'v1.27.1'] } });
  });
});

describe('events of every source', () => {
  test('reconcile', async () => {
    run({ 'update.notes': forge.project });
    scene.engine.publish('nginx:1.27.2');
    await reconcile(scene.deps);
    expect(last()).toMatchObject({ source: 'reconcile', notes: { versions: ['v1.27.2', 'v1.27.1'] } });
  });

  test('the operator, whom nothing stops', async () => {
    forge.releases = BREAKING;
    run({ 'update.notes': forge.project, 'update.ask-on': 'breaking' });
    scene.engine.publish('nginx:1.27.2');
    await requestUpdate(scene.deps, { container: 'web-nginx-1', image: 'nginx:1.27.2' });
    expect(last()).toMatchObject({ source: 'operator', status: 'queued', notes: { flags: ['breaking'] } });
  });
});

test('the page of an approval shows the notes; HTML and script in them are text', async () => {
  forge.releases = [
    { tag: 'v1.27.2', name: '<b>', text: '## Security\n<script>alert(1)</script> [x](javascript:a)' },
    ...CALM.slice(1),
  ];
  run({ 'update.notes': forge.project, 'update.policy': 'manual' });
  await publish();
  const [, token = ''] = /\/approvals\/([\w.-]+)/.exec(mail('critical_update_available')) ?? [];
  const view = readApproval(scene.deps, token);
  if (view.kind !== 'open') throw new Error(`the link is ${view.kind}`);
  const html = confirmPage({ ...view, now: scene.clock.now() });
  expect(html).toContain('<span class="flag">security</span> Security</h3>');
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).not.toContain('<script');
  expect(html).not.toContain('href="javascript');
  expect(html).toContain('v1.27.2 – &lt;b>');
});

test('the texts go with the update that was superseded, the new offer has its own', async () => {
  run({ 'update.notes': forge.project, 'update.policy': 'manual' });
  await publish('nginx:1.27.1');
  const first = last();
  await publish('nginx:1.27.2');
  expect(scene.store.notesTexts.of(first.id).map(({ tag }) => tag)).toEqual(['v1.27.1']);
  expect(scene.store.notesTexts.of(last().id).map(({ tag }) => tag)).toEqual(['v1.27.2', 'v1.27.1']);
});

test('the notice of a channel has the link, and what the notes mention', async () => {
  scene.store.channels.use([{ kind: 'ntfy', id: 'c', name: 'channel', topics: ['decisions', 'failures'] }]);
  forge.releases = BREAKING;
  run({ 'update.notes': forge.project, 'update.ask-on': 'breaking' });
  await publish();
  const [due] = scene.store.channels.of('c').due(scene.clock.now().toISOString());
  expect(due?.notice.text.join('\n')).toContain(`Release notes: ${RELEASES()}`);
  expect(due?.notice.text.join('\n')).toContain('They mention breaking changes.');
});
