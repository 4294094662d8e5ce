import { openEdgeProject } from '../support/e2e-edge';
import { openStage, startedAt } from '../support/e2e-stage';
import { mailsAbout, pageOf } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';

// `edge` owns the ports, nginx lives in its network; each test takes that network away and asks edge's port.
const stage = openStage();
/** What the issue asks for, from the moment edge is up again. */
const WITHIN = { timeoutMs: 300_000 };

let pilot: Pilot;
let web: ComposeProject;
let name: string;

beforeAll(async () => {
  web = await openEdgeProject(stage, 'lost', 'lost/nginx:stable');
  name = await web.containerName('nginx');
  await pageOf(web, 'edge');
  pilot = await stage.pilot();
});

async function servesAgain(): Promise<void> {
  await eventually(
    'nginx serves again',
    async () => {
      const answer = await fetch(await web.url('edge', 80), { signal: AbortSignal.timeout(2_000) });
      return (await answer.text()).startsWith('good-1');
    },
    WITHIN,
  );
}

const mended = () => pilot.log().filter(({ message }) => message === 'a container was re-attached to its network');

it('edge restarted alone: nginx serves again, and it is told', async () => {
  const before = await web.container('nginx');
  await web.compose(['restart', '--no-deps', 'edge']);
  await servesAgain();
  const after = await web.container('nginx');
  expect(after['Id']).toBe(before['Id']);
  expect(startedAt(after) > startedAt(before)).toBe(true);
  expect(mended()).toEqual([expect.objectContaining({ container: name })]);
  const authorization = `Basic ${Buffer.from(`o:${pilot.apiToken}`).toString('base64')}`;
  const page = await pilot.request('/', { headers: { Authorization: authorization, Accept: 'text/html' } });
  expect(await page.text()).toContain('Lost networks');
});

it('edge killed, and started again by its restart policy: nginx serves again', async () => {
  const before = await web.container('edge');
  // From the host's side: a kill that Docker is asked for counts as a stop by hand.
  const host = ['run', '--rm', '--privileged', '--pid', 'host', '--label', stage.lab.label, stage.lab.images.EDGE];
  await stage.lab.docker.run([...host, 'sh', '-c', `kill -KILL ${before['State'].Pid}`]);
  await eventually('edge runs again', async () => startedAt(await web.container('edge')) !== startedAt(before));
  await servesAgain();
});

it('edge restarted while the service is down: mended at its start', async () => {
  await pilot.kill('SIGKILL');
  await web.compose(['restart', '--no-deps', 'edge']);
  await pilot.start();
  await servesAgain();
});

it('edge made anew by hand: a mail says what to do, and that helps', async () => {
  const { Id, HostConfig } = await web.container('edge');
  expect((await web.container('nginx'))['HostConfig'].NetworkMode).toBe(`container:${Id}`);
  expect(HostConfig.NetworkMode).not.toContain('container:');
  await stage.lab.docker.run(['rm', '--force', String(Id)]);
  await web.compose(['up', '--detach', '--no-deps', 'edge']);
  expect(await mailsAbout(pilot, name, 1)).toEqual([expect.stringContaining('its network is lost')]);
  await web.up('nginx');
  await servesAgain();
});
