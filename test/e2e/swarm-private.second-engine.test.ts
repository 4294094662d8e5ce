import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { ImageName } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';
import { startGuardedRegistry, whyNoGuardedRegistry, type GuardedRegistry } from '../lab/registry/guarded-registry';
import { openStage } from '../support/e2e-stage';
import { announce, endOf, endOfUpdate, updateTo } from '../support/e2e-updates';
import { describeIf } from '../support/needs';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

// Services whose image is in a registry with a login, as `docker stack deploy --with-registry-auth` makes them. diun-pilot has its
// login from Docker's config.json only, and the nodes have none of their own.

/** Of every length that base64 pads in another way. */
const USERS = { ann: 'geheim', annb: 'geheim', annbo: 'geheim' };
/** Deployed the services, and has lost its access since. */
const DEPLOYER = { deployer: 'frueher' };
const NAME = 'site_web';
const REPOSITORY = 'private/web';

describeIf(whyNoOtherEngine() ?? whyNoGuardedRegistry(), 'a Swarm and a registry with a login', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let registry: GuardedRegistry;
  let pilot: Pilot;
  /** Docker's configuration of diun-pilot. */
  let config: string;

  beforeAll(async () => {
    swarm = await openSwarm(stage);
    registry = await startGuardedRegistry(stage.lab, { ...DEPLOYER, ...USERS });
    stage.closing(() => registry.stop());
    await publish('NGINX_GOOD_1');
    await deployAs('deployer');
    await registry.allow(USERS);
    config = join(stage.lab.scratch('docker-config'), 'docker');
    mkdirSync(config);
    const path = `${config}:${process.env['PATH']}`;
    pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: swarm.dockerHost, DOCKER_CONFIG: config, PATH: path } });
  }, 300_000);

  const publish = (image: ImageName): Promise<string> =>
    stage.lab.registry.publish(stage.lab.images[image], `${REPOSITORY}:stable`);
  const reference = (): string => `${registry.address}/${REPOSITORY}:stable`;
  const configure = (content: object): void => writeFileSync(join(config, 'config.json'), JSON.stringify(content));
  const entry = (user: string, password: string): { auth: string } => ({
    auth: Buffer.from(`${user}:${password}`).toString('base64'),
  });

  async function deployAs(user: keyof typeof DEPLOYER): Promise<void> {
    const folder = stage.lab.scratch('stack');
    const file = join(folder, 'docker-stack.yml');
    writeFileSync(file, stackFile(reference()));
    const { docker } = swarm.stage.lab;
    const asDeployer = { env: { DOCKER_CONFIG: folder } };
    const login = ['login', '--username', user, '--password-stdin', registry.address];
    await docker.run(login, { ...asDeployer, input: DEPLOYER[user] });
    const deploy = ['stack', 'deploy', '--detach=false', '--with-registry-auth', '--compose-file', file, 'site'];
    await docker.run(deploy, asDeployer);
  }

  /** Version, image, and what its tasks run. */
  async function seen(): Promise<{ version: number; image: string | undefined; tasks: (string | undefined)[] }> {
    const { ID, Version, Spec } = await swarm.swarm.service(NAME);
    const tasks = (await swarm.swarm.tasks(ID)).filter(({ DesiredState }) => DesiredState === 'running');
    return {
      version: Version.Index,
      image: Spec.TaskTemplate.ContainerSpec?.Image,
      tasks: tasks.map((task) => `${task.Status.State} ${task.Spec.ContainerSpec?.Image}`),
    };
  }

  const request = (): Promise<Response> =>
    pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: NAME }) });

  it.each(Object.entries(USERS))('the engine reads the login of %s', async (user, password) => {
    configure({ auths: { [registry.address]: entry(user, password) } });
    const digest = await publish('NGINX_GOOD_1');
    const engine = createDockerEngine({ dockerHost: swarm.dockerHost, dockerConfigDir: config });
    expect(await engine.registryDigest(reference())).toBe(digest);
    await engine.pull(`${registry.address}/${REPOSITORY}@${digest}`, () => undefined);
  });

  it.each([
    ['a wrong login', 'falsch', /unauthorized: .*Check the name, the tag and the login \(DOCKER_CONFIG\)\.$/],
    ['no login', null, /no basic auth credentials\. Check the name, the tag and the login \(DOCKER_CONFIG\)\.$/],
  ])('%s: refused with what to do, and nothing is changed', async (_, password, refusal) => {
    configure(password === null ? {} : { auths: { [registry.address]: entry('ann', password) } });
    const before = await seen();
    const digest = await publish(password === null ? 'NGINX_SLOW' : 'NGINX_GOOD_2');
    const answer = await request();
    const says = expect.stringMatching(refusal);
    expect([answer.status, await answer.json()]).toEqual([502, { error: { code: 'registry_refused', message: says } }]);
    await announce(pilot, before.image ?? '', digest, 'update-swarm-service');
    expect(await updateTo(pilot, NAME, digest)).toMatchObject({ status: 'ignored', reason: says, steps: [] });
    expect(await seen()).toEqual(before);
  });

  it('its login instead of that of the service, which has lost its access: the nodes pull the new image', async () => {
    configure({ auths: { [`http://${registry.address}/v2/`]: entry('annb', USERS.annb) } });
    const digest = await publish('NGINX_GOOD_2');
    const { id } = (await (await request()).json()) as { id: string };
    expect(await endOf(pilot, id)).toMatchObject({ status: 'succeeded', error: null });
    const image = `${reference()}@${digest}`;
    expect(await seen()).toMatchObject({ image, tasks: [`running ${image}`] });
  });

  it('the login of a credential helper; an image that fails is rolled back', async () => {
    const helper = join(config, 'docker-credential-lab');
    writeFileSync(helper, `#!/bin/sh\nread server\necho '{"Username":"annbo","Secret":"${USERS.annbo}"}'\n`);
    chmodSync(helper, 0o755);
    configure({ auths: { [registry.address]: {} }, credHelpers: { [registry.address]: 'lab' } });
    const { image } = await seen();
    const digest = await publish('NGINX_CRASH_LOOPING');
    await announce(pilot, image ?? '', digest, 'update-swarm-service');
    expect(await endOfUpdate(pilot, NAME, digest)).toMatchObject({
      status: 'rolled_back',
      error: { code: 'unhealthy' },
    });
    expect(await seen()).toMatchObject({ image, tasks: [`running ${image}`] });
  });
});

function stackFile(reference: string): string {
  return `version: '3.8'
services:
  web:
    image: ${reference}
    networks: [outside]
    stop_grace_period: 1s
    deploy:
      update_config: { monitor: 1s }
      restart_policy: { delay: 0s }
      labels: { diun.enable: 'true', update.policy: automatic, update.probe: nginx, update.probe.timeout: 10s }
networks: { outside: { external: true, name: host } }
`;
}
