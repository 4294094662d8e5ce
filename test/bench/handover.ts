import { composeProject, type ComposeProject } from '../lab/compose';
import type { Lab } from '../lab/lab';
import { startPilot, type Pilot } from '../lab/pilot';
import { composeYaml } from '../support/e2e-services';
import { edgeServices, SHARED_SITE } from '../support/e2e-edge';
import { steadyLoad } from '../support/steady-load';
import { requestAndWait } from './downtime';
import { report } from './report';

const RATE = 500;
const ROUNDS = 3;
const TAG = 'bench/edge-nginx:stable';

/** Requests lost while nginx behind `edge` is handed over, against `docker compose up -d` of the same change, pulled before. */
export async function run(lab: Lab): Promise<void> {
  const first = await lab.variantOf(lab.images.NGINX_GOOD_2, 'handover-first');
  await lab.registry.publishAndPull(first, TAG);
  const services = edgeServices(lab, lab.registry.reference(TAG));
  const project = composeProject(lab, 'bench-edge', composeYaml(services), SHARED_SITE);
  let pilot: Pilot | null = null;
  try {
    await project.up();
    pilot = await startPilot(lab);
    const ours = [];
    const compose = [];
    for (let round = 0; round < ROUNDS; round++) {
      compose.push(await lostDuring(project, () => composeUpdate(lab, project, `handover-compose-${round}`)));
      ours.push(await lostDuring(project, () => pilotUpdate(lab, project, pilot as Pilot, `handover-pilot-${round}`)));
    }
    const sum = (all: Lost[]): Lost => ({
      lost: all.reduce((total, { lost }) => total + lost, 0),
      sent: all.reduce((total, { sent }) => total + sent, 0),
    });
    report({
      what: `handover at ${RATE} requests/s through edge, lost of ${sum(ours).sent}`,
      value: sum(ours).lost,
      unit: 'requests',
      goal: { sign: '≤', bound: 0 },
      against: `docker compose up -d of the same change: ${compose.map(told).join(', ')} lost; ours: ${ours.map(told).join(', ')}`,
    });
  } finally {
    await pilot?.stop();
    await project.down();
  }
}

interface Lost {
  lost: number;
  sent: number;
}

const told = ({ lost, sent }: Lost): string => `${lost} of ${sent}`;

async function lostDuring(project: ComposeProject, change: () => Promise<void>): Promise<Lost> {
  const load = steadyLoad(await project.url('edge', 80), RATE);
  await change();
  const answers = await load.stop();
  return { lost: answers.filter(({ ok }) => !ok).length, sent: answers.length };
}

async function composeUpdate(lab: Lab, project: ComposeProject, mark: string): Promise<void> {
  await lab.registry.publishAndPull(await lab.variantOf(lab.images.NGINX_GOOD_2, mark), TAG);
  const { recreated } = await project.up();
  if (!recreated.includes('nginx')) throw new Error('docker compose up -d did not recreate nginx');
}

async function pilotUpdate(lab: Lab, project: ComposeProject, pilot: Pilot, mark: string): Promise<void> {
  await lab.registry.publish(await lab.variantOf(lab.images.NGINX_GOOD_2, mark), TAG);
  await requestAndWait(pilot, { container: await project.containerName('nginx') }, 'succeeded');
}
