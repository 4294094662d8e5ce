import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../lab/command';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { Pilot } from '../lab/pilot';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';
import { announce, endOf, endOfUpdate } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

// A service that `docker stack deploy` made, with a configuration and a secret: what a later deploy does to an updated one.
const NAME = 'site_web';
const REPOSITORY = 'stack/web';

describeIf(whyNoOtherEngine(), 'a stack of a Swarm', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let pilot: Pilot;
  let file: string;

  beforeAll(async () => {
    swarm = await openSwarm(stage);
    const folder = stage.lab.scratch('stack');
    file = join(folder, 'docker-stack.yml');
    writeFileSync(join(folder, 'site.conf'), 'server { listen 8096; location / { return 200 "from a config"; } }\n');
    writeFileSync(join(folder, 'token'), 'secret');
    const { reference } = await swarm.published('NGINX_GOOD_1', `${REPOSITORY}:1.27.3`);
    writeFileSync(file, stackFile(reference, file));
    await deploy();
    await eventually('the task runs', async () => (await tasks()).length === 1);
    pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: swarm.dockerHost } });
  }, 300_000);

  const deploy = (): Promise<string> => swarm.stage.lab.docker.run(['stack', 'deploy', '--compose-file', file, 'site']);
  const template = async (): Promise<unknown> => (await swarm.swarm.service(NAME)).Spec.TaskTemplate;
  const image = async (): Promise<string> =>
    (await swarm.swarm.service(NAME)).Spec.TaskTemplate.ContainerSpec?.Image ?? '';
  /** IDs of those that run. */
  const tasks = async (): Promise<string[]> =>
    (await swarm.swarm.tasks((await swarm.swarm.service(NAME)).ID))
      .filter(({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running')
      .map(({ ID }) => ID);

  async function expectDeployChangesNothing(): Promise<void> {
    const before = [await template(), await tasks()];
    await deploy();
    expect([await template(), await tasks()]).toEqual(before);
  }

  it('check says that a new tag is written into its file', async () => {
    const { stdout } = await runPilot(stage.lab, pilot.dataDir, ['check'], { DOCKER_HOST: swarm.dockerHost });
    expect(stdout.replace(/\s+/g, ' ')).toContain(`New tags ${NAME}: written into ${file}`);
  });

  it('the same tag: configuration and secret stay, and a deploy of the unchanged file changes nothing', async () => {
    const before = (await swarm.swarm.service(NAME)).Spec;
    const { pinned, digest } = await swarm.published('NGINX_GOOD_2', `${REPOSITORY}:1.27.3`);
    await announce(pilot, await image(), digest, 'update-swarm-service');
    expect(await endOfUpdate(pilot, NAME, digest)).toMatchObject({ status: 'succeeded', project: 'site' });
    const ContainerSpec = { ...before.TaskTemplate.ContainerSpec, Image: pinned };
    expect((await swarm.swarm.service(NAME)).Spec).toEqual({
      ...before,
      TaskTemplate: { ...before.TaskTemplate, ContainerSpec },
    });
    for (const name of ['"ConfigName":"site_conf"', '"SecretName":"site_token"'])
      expect(JSON.stringify(ContainerSpec)).toContain(name);
    expect(await (await fetch('http://127.0.0.1:8096/')).text()).toBe('from a config');
    await expectDeployChangesNothing();
  });

  it('a new tag: written into the file, so that a deploy changes nothing; the old file would go back', async () => {
    const old = readFileSync(file, 'utf8');
    const variant = await stage.lab.variantOf(stage.lab.images.NGINX_GOOD_2, 'stack-next');
    const digest = await swarm.stage.lab.registry.publish(variant, `${REPOSITORY}:1.27.4`);
    const reference = swarm.stage.lab.registry.reference(`${REPOSITORY}:1.27.4`);
    const request = { method: 'POST', body: JSON.stringify({ container: NAME, image: reference }) };
    const { id } = (await (await pilot.request('/updates', request)).json()) as { id: string };
    expect(await endOf(pilot, id)).toMatchObject({ status: 'succeeded', followUp: null });
    expect(readFileSync(file, 'utf8')).toBe(old.replace(':1.27.3', ':1.27.4'));
    expect(await image()).toBe(`${reference}@${digest}`);
    await expectDeployChangesNothing();
    writeFileSync(file, old);
    await deploy();
    expect(await image()).toContain(':1.27.3@');
  });

  it('the shipped docker-stack.yml is one that Docker reads', async () => {
    const env = { PATH: process.env['PATH'], DOCKER_GID: '999', PILOT_WEBHOOK_TOKEN: 'token' };
    const shipped = join(__dirname, '../../docker-stack.yml');
    const read = await attempt(stage.lab.docker.path, ['stack', 'config', '--compose-file', shipped], { env });
    expect(read).toMatchObject({ code: 0 });
    expect(read.stdout).toMatch(/node\.labels\.diun-pilot == true/);
    expect(read.stdout).toMatch(/user: 1000:999$/m);
  });
});

/** In the network of the host: this kernel has no virtual IPs, and a stack has no network with dnsrr of its own. */
function stackFile(reference: string, file: string): string {
  return `version: '3.8'
services:
  web:
    image: ${reference}
    networks: [outside]
    configs: [{ source: conf, target: /etc/nginx/conf.d/default.conf }]
    secrets: [token]
    stop_grace_period: 1s
    deploy:
      replicas: 1
      update_config: { monitor: 1s }
      labels:
        diun.enable: 'true'
        update.policy: automatic
        update.probe: nginx
        update.stack-file: ${file}
configs: { conf: { file: ./site.conf } }
secrets: { token: { file: ./token } }
networks: { outside: { external: true, name: host } }
`;
}
