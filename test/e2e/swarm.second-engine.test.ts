import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { swarmContract } from '../contract/swarm.contract';
import { whyNoBrowser } from '../lab/browser';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { LIVE_NGINX_SITE, type ImageName } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';
import { openBrowser } from '../support/browser';
import { linkInMail, press, seeAll, verdict, whole } from '../support/e2e-approvals';
import { openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, mailsAbout, stepsOf, updateTo, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

const WATCHED = ['--label', 'diun.enable=true', '--label', 'update.policy=automatic'];
const NGINX = ['--label', 'update.probe=nginx'];

describeIf(whyNoOtherEngine(), 'a Swarm of one real engine', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let pilot: Pilot;

  beforeAll(async () => {
    swarm = await openSwarm(stage);
    pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: swarm.dockerHost } });
  }, 300_000);

  swarmContract('the real engine', async () => {
    const { pinned: old, reference } = await swarm.published('NGINX_GOOD_1', 'swarm/contract:1');
    const { pinned: next } = await swarm.published('NGINX_GOOD_2', 'swarm/contract:2');
    const { pinned: failing } = await swarm.published('NGINX_CRASH_LOOPING', 'swarm/contract:3');
    await swarm.create('contract', reference, ['--update-monitor', '5s']);
    const { docker } = swarm.stage.lab;
    const filter = 'label=com.docker.swarm.service.name=contract';
    const killTasks = async (): Promise<void> =>
      void (await docker.run(['kill', ...(await docker.lines(['ps', '--quiet', '--filter', filter]))]));
    const remove = async (): Promise<void> => void (await docker.run(['service', 'rm', 'contract']));
    const takeDown = async (): Promise<void> => void (await docker.attempt(['service', 'rm', 'contract']));
    return {
      ...{ swarm: swarm.swarm, service: 'contract', images: { old, next, failing } },
      ...{ killTasks, remove, takeDown },
    };
  });

  /** A service of NGINX_GOOD_1, and the announcement of another image under its tag. */
  async function announced(
    name: string,
    image: ImageName,
    options: string[],
  ): Promise<{ old: string; next: string; digest: string }> {
    const { reference, pinned: old } = await swarm.published('NGINX_GOOD_1', `swarm/${name}:stable`);
    await swarm.create(name, reference, [...WATCHED, ...options]);
    const { digest, pinned: next } = await swarm.published(image, `swarm/${name}:stable`);
    expect((await announce(pilot, old, digest, 'update-swarm-service')).status).toBe(202);
    return { old, next, digest };
  }

  /** The image of the spec, and what its tasks run. */
  async function runs(name: string): Promise<[string | undefined, string[]]> {
    const service = await swarm.swarm.service(name);
    const tasks = (await swarm.swarm.tasks(service.ID)).filter(({ DesiredState }) => DesiredState === 'running');
    return [
      service.Spec.TaskTemplate.ContainerSpec?.Image,
      tasks.map(({ Spec, Status }) => `${Status.State} ${Spec.ContainerSpec?.Image}`),
    ];
  }

  const told = async (name: string, digest: string): Promise<UpdateTold> => endOfUpdate(pilot, name, digest);

  it('a good image: rolled out by Swarm to every task, probed, and no mail but the announcement', async () => {
    const { next, digest } = await announced('good', 'NGINX_GOOD_2', [
      ...NGINX,
      '--replicas',
      '2',
      '--update-order',
      'start-first',
    ]);
    const update = await told('good', digest);
    expect(update).toMatchObject({ kind: 'service', status: 'succeeded', container: 'good', error: null });
    expect(stepsOf(update)).toEqual([
      'backup skipped',
      'pull skipped',
      'preflight succeeded',
      'rollout succeeded',
      'health_check succeeded',
      'cleanup skipped',
    ]);
    expect(update['reason']).toContain('2 of 2 tasks run the image; nginx -t passes');
    expect(await runs('good')).toEqual([next, [`running ${next}`, `running ${next}`]]);
    expect(await mailsAbout(pilot, 'good', 1)).toEqual([expect.stringContaining('update available')]);
  });

  it('an image that never becomes healthy: Swarm pauses, and diun-pilot has it rolled back and verifies that', async () => {
    const { old, digest } = await announced('unhealthy', 'NGINX_NEVER_HEALTHY', NGINX);
    const update = await told('unhealthy', digest);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(update['error'].message).toMatch(/Swarm paused the rollout/);
    expect(update['error'].message).toMatch(/unhealthy\.1 on \S+: (starting|failed|complete)/);
    expect(stepsOf(update).slice(3)).toEqual([
      'rollout failed',
      'rollback succeeded',
      'rollback_health_check succeeded',
    ]);
    expect(await runs('unhealthy')).toEqual([old, [`running ${old}`]]);
    expect(await mailsAbout(pilot, 'unhealthy', 2)).toHaveLength(2);
  });

  it('an image that is healthy for Swarm, but not for our probe, is rolled back', async () => {
    const probe = ['--label', 'update.probe=exec:grep -q good-1 /usr/share/nginx/html/index.html'];
    const { old, digest } = await announced('probed', 'NGINX_GOOD_2', [...probe, '--label', 'update.probe.timeout=5s']);
    const update = await told('probed', digest);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(stepsOf(update).slice(3)).toEqual([
      'rollout succeeded',
      'health_check failed',
      'rollback succeeded',
      'rollback_health_check succeeded',
    ]);
    expect(await runs('probed')).toEqual([old, [`running ${old}`]]);
  });

  it('an image that is healthy only after eight seconds: waited for', async () => {
    const { next, digest } = await announced('slow', 'NGINX_SLOW', NGINX);
    expect(await told('slow', digest)).toMatchObject({ status: 'succeeded', error: null });
    expect(await runs('slow')).toEqual([next, [`running ${next}`]]);
  });

  it('an image that no longer reads the configuration of the service: rolled back, with what nginx says', async () => {
    const { docker } = swarm.stage.lab;
    const folder = stage.lab.scratch('config');
    writeFileSync(join(folder, 'site.conf'), LIVE_NGINX_SITE);
    await docker.run(['config', 'create', 'live-site', join(folder, 'site.conf')]);
    const config = ['--config', 'source=live-site,target=/etc/nginx/conf.d/default.conf'];
    const { old, digest } = await announced('configured', 'NGINX_CONFIG_BREAKING', [...NGINX, ...config]);
    const update = await told('configured', digest);
    expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(update['error'].message).toMatch(/unknown log format "main"/);
    expect(await runs('configured')).toEqual([old, [`running ${old}`]]);
  });

  it('SIGKILL of diun-pilot in the middle of a rollout: the next start completes the verdict', async () => {
    const { next, digest } = await announced('killed', 'NGINX_GOOD_2', [...NGINX, '--update-monitor', '5s']);
    await updateTo(pilot, 'killed', digest);
    await eventually('Swarm has the new image', async () => (await runs('killed'))[0] === next, { everyMs: 20 });
    await pilot.kill('SIGKILL');
    await pilot.start();
    expect(await told('killed', digest)).toMatchObject({ status: 'succeeded' });
    expect(await runs('killed')).toEqual([next, [`running ${next}`]]);
    expect(await mailsAbout(pilot, 'killed', 1)).toHaveLength(1);
  });

  describeIf(whyNoBrowser(), 'an operator with the mail and a browser', () => {
    const browser = openBrowser();
    afterEach(() => browser.forget());
    const BY_LINK = [...NGINX, '--label', 'update.policy=manual', '--update-monitor', '3s'];

    it('approves by the link, and follows the tasks to the success', async () => {
      const { next, digest } = await announced('approved', 'NGINX_GOOD_2', [...BY_LINK, '--replicas', '2']);
      const page = await browser.open(await linkInMail(pilot, 'approved', digest));
      const plan = await whole(page);
      for (const words of [digest, '1 task at a time, stop-first, failure_action pause', 'Downtime:'])
        expect(plan).toContain(words);
      expect(plan).not.toMatch(/(?:no|old) container/i);
      await seeAll(page, 'plan of a service');
      await press(page, 'Approve');
      await page
        .locator('#step-rollout')
        .getByText(/approved\.\d on \S+: /)
        .waitFor({ timeout: 300_000 });
      await seeAll(page, 'service under way');
      await verdict(page, 'Succeeded');
      await page.reload();
      expect(await whole(page)).toContain('2 of 2 tasks run the image');
      await seeAll(page, 'service updated');
      expect(await told('approved', digest)).toMatchObject({ approval: { status: 'approved', decidedBy: 'link' } });
      expect(await runs('approved')).toEqual([next, [`running ${next}`, `running ${next}`]]);
      expect(await mailsAbout(pilot, 'approved', 2)).toHaveLength(2);
    });

    it('approves one that never becomes healthy, and reads why Swarm went back', async () => {
      const { old, digest } = await announced('doomed', 'NGINX_NEVER_HEALTHY', BY_LINK);
      const page = await browser.open(await linkInMail(pilot, 'doomed', digest));
      await press(page, 'Approve');
      await verdict(page, 'Rolled back');
      await page.reload();
      const report = await whole(page);
      expect(report).toMatch(/Swarm paused the rollout/);
      expect(report).not.toContain('old container');
      await seeAll(page, 'service rolled back');
      expect(await runs('doomed')).toEqual([old, [`running ${old}`]]);
    });
  });
});
