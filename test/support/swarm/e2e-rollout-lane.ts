import type { Pilot } from '../../lab/pilot';
import type { ImageName } from '../../lab/images/recipes';
import { engineProxy, type EngineProxy } from '../e2e-engine-proxy';
import { announce, endOfUpdate, updateTo, type UpdateTold } from '../e2e-updates';
import { mailsSince, type MailSeen } from '../mails-since';
import { startSmtpServer, type TestSmtpServer } from '../smtp-server';
import type { SwarmStage } from './e2e-swarm';
import type { Course, RolloutMoment } from './e2e-rollout-crashes';

/** What is true of a service once its update has its end. */
export interface AfterRollout {
  update: UpdateTold;
  images: { old: string; next: string };
  /** Image of the spec, and state and image of each task that Swarm wants. */
  spec: string;
  tasks: string[];
  /** The different mails since the announcement. */
  mails: MailSeen[];
  /** What of diun-pilot's own is left on the engine. */
  aside: string[];
}

export interface HeldRollout {
  /** Lets connections through again, once the engine is back. */
  reconnect(): Promise<void>;
  /** Waits for the end of the update. */
  end(): Promise<AfterRollout>;
  /** Rejects where the update has its end already. */
  mustBeOpen(): Promise<void>;
}

/** One service with two tasks, a diun-pilot of its own, and a proxy in which that stops. */
export interface RolloutLane {
  readonly pilot: Pilot;
  readonly proxy: EngineProxy;
  /** Announces the course's image; resolves when diun-pilot has come to that call. */
  holdAt(moment: RolloutMoment): Promise<HeldRollout>;
  /** The same, where diun-pilot is killed and starts again. */
  killedAt(moment: RolloutMoment): Promise<AfterRollout>;
}

const FIRST = 'NGINX_GOOD_1';
const REPLICAS = 2;
const PATIENCE_MS = 900_000;
/** Passes for the image that runs first, and for the other good one. */
const ONLY_GOOD = 'exec:grep -q ^good- /usr/share/nginx/html/index.html';
const ONLY_GOOD_1 = 'exec:grep -q ^good-1 /usr/share/nginx/html/index.html';

const COURSES: Record<Course, { image: ImageName; probe: string; options: string[]; mails: number }> = {
  succeeds: { image: 'NGINX_GOOD_2', probe: ONLY_GOOD, options: [], mails: 1 },
  'is paused': { image: 'NGINX_CRASH_LOOPING', probe: ONLY_GOOD, options: [], mails: 2 },
  'fails its probe': { image: 'NGINX_GOOD_2', probe: ONLY_GOOD_1, options: [], mails: 2 },
  'is rolled back by Swarm': {
    ...{ image: 'NGINX_CRASH_LOOPING', probe: ONLY_GOOD, mails: 2 },
    options: ['--update-failure-action', 'rollback'],
  },
};

export async function openRolloutLane(swarm: SwarmStage, name: string, course: Course): Promise<RolloutLane> {
  const { stage } = swarm;
  const { probe, options } = COURSES[course];
  const tag = `rollouts/${name}:stable`;
  const { reference } = await swarm.published(FIRST, tag);
  await swarm.create(name, reference, [
    ...['--label', 'diun.enable=true', '--label', 'update.policy=automatic', '--label', `update.probe=${probe}`],
    ...['--label', 'update.probe.timeout=20s', '--replicas', String(REPLICAS), ...options],
  ]);
  const smtp = await startSmtpServer();
  stage.closing(() => smtp.stop());
  const proxy = engineProxy(stage.lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const mail = { PILOT_MAIL_FROM: 'pilot@lab.test', PILOT_MAIL_TO: 'operator@lab.test' };
  const pilot = await stage.pilot({
    env: { DOCKER_HOST: proxy.dockerHost, PILOT_MAIL_URL: `smtp://127.0.0.1:${smtp.port}`, ...mail },
  });
  const lane: Lane = { swarm, name, tag, reference, pilot, proxy, smtp, course, runs: FIRST };
  return {
    ...{ pilot, proxy },
    holdAt: (moment) => holdAt(lane, moment),
    killedAt: async (moment) => {
      const held = await holdAt(lane, moment);
      await pilot.kill('SIGKILL');
      await pilot.start();
      return held.end();
    },
  };
}

interface Lane {
  swarm: SwarmStage;
  name: string;
  tag: string;
  reference: string;
  pilot: Pilot;
  proxy: EngineProxy;
  smtp: TestSmtpServer;
  course: Course;
  /** What its tasks run. */
  runs: ImageName;
}

async function holdAt(lane: Lane, moment: RolloutMoment): Promise<HeldRollout> {
  const { pilot, proxy, smtp, name } = lane;
  const old = await imageOf(lane);
  const image = lane.runs === COURSES[lane.course].image ? FIRST : COURSES[lane.course].image;
  const digest = await publishUnseen(lane, image);
  const received = smtp.received.length;
  const from = proxy.calls.length;
  const held = proxy.hold(moment);
  await announce(pilot, old, digest, 'update-swarm-service');
  await Promise.race([held, neverCame(lane, digest, from)]);
  return {
    reconnect: async () => {
      await proxy.cut();
      await proxy.mend();
    },
    mustBeOpen: async () => {
      const updates = (await pilot.updates(`?container=${name}`)) as UpdateTold[];
      const status = updates.find(({ to }) => to.digest === digest)?.['status'] ?? 'queued';
      if (!['queued', 'running'].includes(status)) throw new Error(`${name} was not held: its update is ${status}`);
    },
    end: async () => {
      const update = await endOfUpdate(pilot, name, digest, PATIENCE_MS);
      if (update['status'] === 'succeeded') lane.runs = image;
      const expected = update['status'] === 'succeeded' ? 1 : 2;
      const mails = await mailsSince(smtp, received, expected);
      const next = `${lane.reference}@${digest}`;
      return { update, mails, images: { old, next }, ...(await look(lane)) };
    },
  };
}

let published = 0;

/** An image that does not run now, under a digest that was never seen: a multi-platform tag with one more platform. */
async function publishUnseen({ swarm, tag }: Lane, name: ImageName): Promise<string> {
  const { lab } = swarm.stage;
  const image = lab.images[name];
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return lab.registry.publishIndex(tag, [
    { image, platform: { os: 'linux', architecture } },
    { image, platform: { os: 'linux', architecture: `lab${++published}` } },
  ]);
}

/** An update that ends without that call would be waited for in vain. */
async function neverCame({ pilot, proxy, name }: Lane, digest: string, from: number): Promise<never> {
  await updateTo(pilot, name, digest);
  const { status, error } = await endOfUpdate(pilot, name, digest, PATIENCE_MS);
  const calls = proxy.calls.slice(from).join('\n');
  throw new Error(`never held; the update is ${status} (${JSON.stringify(error)}) after\n${calls}`);
}

async function imageOf({ swarm, name }: Lane): Promise<string> {
  return (await swarm.swarm.service(name)).Spec.TaskTemplate.ContainerSpec?.Image ?? '';
}

async function look({ swarm, name }: Lane): Promise<Pick<AfterRollout, 'spec' | 'tasks' | 'aside'>> {
  const { ID, Spec } = await swarm.swarm.service(name);
  const wanted = (await swarm.swarm.tasks(ID)).filter(({ DesiredState }) => DesiredState === 'running');
  return {
    spec: Spec.TaskTemplate.ContainerSpec?.Image ?? '',
    tasks: wanted.map((task) => `${task.Status.State} ${task.Spec.ContainerSpec?.Image}`),
    aside: await swarm.stage.lab.docker.lines([
      'ps',
      '--all',
      '--filter',
      'name=.diun-pilot-',
      '--format',
      '{{.Names}}',
    ]),
  };
}

/** What is wrong with the service, whatever came in between; `ends`: how its update must end. */
export function wrongWithRollout(
  { update, images, spec, tasks, mails, aside }: AfterRollout,
  course: Course,
): string[] {
  const wrong: string[] = [];
  const must = (is: boolean, what: string): void => void (is || wrong.push(what));
  const succeeds = course === 'succeeds';
  const { status, error, steps, reason } = update;
  must(status === (succeeds ? 'succeeded' : 'rolled_back'), `status ${status}: ${reason}`);
  must((error?.code ?? null) === (succeeds ? null : 'unhealthy'), `error ${JSON.stringify(error)}`);
  const image = succeeds ? images.next : images.old;
  must(spec === image, `the spec names ${spec}, not ${image}`);
  must(tasks.length === REPLICAS && tasks.every((task) => task === `running ${image}`), `tasks: ${tasks.join('; ')}`);
  const open = (steps as { name: string; status: string }[]).filter((step) => step.status === 'running');
  must(open.length === 0, `steps run on: ${JSON.stringify(open)}`);
  const subjects = mails.map(({ subject }) => subject);
  const verdicts = subjects.filter((subject) => subject.includes('rolled back'));
  must(
    subjects.filter((subject) => subject.includes('update available')).length === 1,
    `mails: ${subjects.join('; ')}`,
  );
  must(verdicts.length === (succeeds ? 0 : 1), `verdicts: ${subjects.join('; ')}`);
  must(mails.length === COURSES[course].mails, `${mails.length} mails: ${subjects.join('; ')}`);
  must(aside.length === 0, `left: ${aside.join(', ')}`);
  return wrong;
}
