import { eventually } from '../support/eventually';
import { steadyLoad } from '../support/steady-load';
import { composeProject, type ComposeProject } from '../lab/compose';
import { freePort } from '../lab/free-port';
import type { Lab } from '../lab/lab';
import { startPilot, type Pilot } from '../lab/pilot';
import { percentile, report } from './report';

const RATE = 200;
const ROUNDS = 3;
const ANSWERS_WITHIN_MS = 2_000;

/**
 * Time without service of a recreate, a fresh connection for each request, against `docker compose up -d` of the same
 * change with the image pulled; and from the verdict "unhealthy" to the old container serving again.
 */
export async function run(lab: Lab): Promise<void> {
  const stack = await openStack(lab);
  const pilot = await startPilot(lab);
  try {
    const ours: Gap[] = [];
    const compose: Gap[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      compose.push(await gapOf(stack.url, () => composeUpdate(lab, stack, `compose-${round}`)));
      ours.push(await gapOf(stack.url, () => pilotUpdate(lab, stack, pilot, `pilot-${round}`, 'succeeded')));
    }
    const median = (gaps: Gap[]): number =>
      percentile(
        gaps.map(({ ms }) => ms),
        0.5,
      );
    report({
      what: 'time without service of a recreate, as a share of docker compose up -d',
      value: median(ours) / median(compose),
      unit: 'ratio',
      goal: { sign: '≤', bound: 1 },
      against: `median of ${ROUNDS}: ${told(ours)} against ${told(compose)}`,
    });
    await rollbackTime(lab, stack, pilot);
  } finally {
    await pilot.stop();
    await stack.project.down();
  }
}

interface Stack {
  project: ComposeProject;
  url: string;
  container: string;
}

async function openStack(lab: Lab): Promise<Stack> {
  // A port of its own choice would be another one after each change.
  const port = await freePort();
  await lab.registry.publishAndPull(await lab.variantOf(lab.images.NGINX_GOOD_2, 'bench-first'), 'bench/nginx:stable');
  const project = composeProject(
    lab,
    'bench',
    `services:
  nginx:
    image: ${lab.registry.reference('bench/nginx:stable')}
    restart: unless-stopped
    ports: ['127.0.0.1:${port}:80']
    labels: {diun.enable: 'true', update.policy: automatic, update.probe: nginx}
`,
  );
  await project.up();
  return { project, url: await project.url('nginx', 80), container: await project.containerName('nginx') };
}

async function composeUpdate(lab: Lab, { project }: Stack, mark: string): Promise<void> {
  await lab.registry.publishAndPull(await lab.variantOf(lab.images.NGINX_GOOD_2, mark), 'bench/nginx:stable');
  const { recreated } = await project.up();
  if (recreated.length !== 1) throw new Error('docker compose up -d did not recreate nginx');
}

async function pilotUpdate(lab: Lab, stack: Stack, pilot: Pilot, mark: string, status: string): Promise<void> {
  await lab.registry.publish(await lab.variantOf(lab.images.NGINX_GOOD_2, mark), 'bench/nginx:stable');
  await requestAndWait(pilot, stack, status);
}

/** The operator's request, to its end. */
export async function requestAndWait(pilot: Pilot, stack: Pick<Stack, 'container'>, status: string): Promise<string> {
  const asked = await pilot.request('/updates', {
    method: 'POST',
    body: JSON.stringify({ container: stack.container }),
  });
  const { id } = (await asked.json()) as { id: string };
  await eventually(
    `update ${id} is ${status}`,
    async () => ((await pilot.get(`/updates/${id}`)) as { status: string }).status === status,
    { timeoutMs: 120_000 },
  );
  return id;
}

/** From the end of the failed health check to the first answer of the old container. */
async function rollbackTime(lab: Lab, stack: Stack, pilot: Pilot): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const broken = await lab.variantOf(lab.images.NGINX_NEVER_HEALTHY, `bench-broken-${round}`);
    await lab.registry.publish(broken, 'bench/nginx:stable');
    const probe = steadyLoad(stack.url, RATE, ANSWERS_WITHIN_MS);
    const id = await requestAndWait(pilot, stack, 'rolled_back');
    const answers = await probe.stop();
    const { steps } = (await pilot.get(`/updates/${id}`)) as { steps: { name: string; finishedAt: string }[] };
    const verdict = Date.parse(steps.find(({ name }) => name === 'health_check')?.finishedAt ?? '');
    const lost = answers.filter(({ ok, at }) => !ok && at >= verdict);
    const back = answers.find(({ ok, at }) => ok && at > (lost.at(-1)?.at ?? verdict));
    times.push(((back?.at ?? NaN) - verdict) / 1000);
  }
  report({
    what: 'verdict "unhealthy" to the old container serving',
    value: percentile(times, 0.5),
    unit: 's',
    goal: { sign: '≤', bound: 3 },
    against: `median of ${ROUNDS}: ${times.map((time) => time.toFixed(2)).join(', ')}`,
  });
}

interface Gap {
  ms: number;
  lost: number;
  sent: number;
}

/** The longest time between two answers around the change, beyond the pace of asking. */
async function gapOf(url: string, change: () => Promise<void>): Promise<Gap> {
  const probe = steadyLoad(url, RATE, ANSWERS_WITHIN_MS);
  await change();
  const answers = await probe.stop();
  const served = answers.filter(({ ok }) => ok).map(({ at }) => at);
  const gaps = served.slice(1).map((at, index) => at - (served[index] ?? at));
  return { ms: Math.max(...gaps), lost: answers.filter(({ ok }) => !ok).length, sent: answers.length };
}

function told(gaps: Gap[]): string {
  return gaps.map(({ ms, lost, sent }) => `${ms} ms (${lost} of ${sent} lost)`).join(', ');
}
