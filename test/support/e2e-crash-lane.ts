import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import type { Pilot } from '../lab/pilot';
import type { Crash } from './e2e-crashes';
import { engineProxy, type EngineProxy } from './e2e-engine-proxy';
import { AUTOMATIC, nginxService, SITE } from './e2e-services';
import { imageNamed, namesOf, type Stage } from './e2e-stage';
import { announce, endOfUpdate, pageAt, updateTo, type UpdateTold } from './e2e-updates';
import { mailsSince, type MailSeen } from './mails-since';
import { startSmtpServer, type TestSmtpServer } from './smtp-server';

/** What is true after a crash, a start on the same data, and the end of the update. */
export interface AfterCrash {
  update: UpdateTold;
  /** Every container that bears the name, or a name that an update made of it. */
  names: string[];
  name: string;
  container: Inspected;
  /** Id of the container that ran before. */
  oldId: string;
  /** Ids: of the one before, of the one announced, and of the one that the tag names now. */
  images: { old: string; wanted: string; named: string | null };
  page: string;
  /** The different mails since the crash began. */
  mails: MailSeen[];
}

/** An error ends its lane: what comes after it in that lane is missing. */
export type Seen = Map<Crash, AfterCrash | Error>;

interface Lane {
  stage: Stage;
  tag: string;
  project: ComposeProject;
  pilot: Pilot;
  proxy: EngineProxy;
  smtp: TestSmtpServer;
  /** Names and ids of the image that runs at first, and of that to which updates go. */
  images: { first: { name: string; id: string }; other: { name: string; id: string } };
}

/** Crashes one after the other on one nginx with one diun-pilot, while other lanes do the same beside it. */
export async function runCrashLane(stage: Stage, name: string, crashes: Crash[], seen: Seen): Promise<void> {
  const lane = await openLane(stage, name, crashes[0]?.ends === 'rolled_back' ? 'unhealthy' : 'healthy');
  for (const [number, crash] of crashes.entries()) {
    const after = await crashOnce(lane, crash, number).catch((error: Error) => error);
    seen.set(crash, after);
    if (after instanceof Error) return;
  }
}

/** What dies is not started again by Docker, so that a second tells. The image that dies serves its own page until then. */
const ONLY_GOOD_1 = 'exec:grep -q ^good-1 /usr/share/nginx/html/index.html';

async function openLane(stage: Stage, name: string, kind: 'healthy' | 'unhealthy'): Promise<Lane> {
  const { lab } = stage;
  const tag = `crash/${name}:stable`;
  await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, tag);
  const networks = { networks: ['front', 'back'] };
  const web =
    kind === 'healthy'
      ? nginxService(lab.registry.reference(tag), AUTOMATIC, networks)
      : nginxService(
          lab.registry.reference(tag),
          { ...AUTOMATIC, 'update.probe': ONLY_GOOD_1 },
          { ...networks, restart: 'no' },
        );
  const top = { networks: { front: {}, back: {} } };
  const project = await stage.project(`crash-${name}`, { web }, { files: SITE, top });
  const smtp = await startSmtpServer();
  stage.closing(() => smtp.stop());
  const proxy = engineProxy(lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const mail = {
    PILOT_MAIL_URL: `smtp://127.0.0.1:${smtp.port}`,
    PILOT_MAIL_FROM: 'pilot@lab.test',
    PILOT_MAIL_TO: 'operator@lab.test',
  };
  const pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost, ...mail } });
  const named = async (name: string) => ({ name, id: String(await imageNamed(lab, name)) });
  const images = {
    first: await named(lab.images.NGINX_GOOD_1),
    other: await named(kind === 'healthy' ? lab.images.NGINX_GOOD_2 : lab.images.NGINX_CRASH_LOOPING),
  };
  return { stage, tag, project, pilot, proxy, smtp, images };
}

async function crashOnce(lane: Lane, crash: Crash, number: number): Promise<AfterCrash> {
  const { stage, project, pilot, proxy, smtp } = lane;
  const reference = stage.lab.registry.reference(lane.tag);
  const before = await project.container('web');
  const name = String(before['Name']).slice(1);
  const { digest, wanted } = await publishOther(lane, String(before['Image']), number);
  const alreadyReceived = smtp.received.length;
  const callsBefore = proxy.calls.length;
  const held = proxy.hold(crash);
  await announce(pilot, reference, digest);
  await Promise.race([held, neverCame(lane, name, digest, callsBefore)]);
  await pilot.kill('SIGKILL');
  await pilot.start();
  const update = await endOfUpdate(pilot, name, digest);
  const mails = await mailsSince(smtp, alreadyReceived, update['status'] === 'succeeded' ? 1 : 2);
  const container = await project.container('web').catch(() => ({}));
  return {
    ...{ update, name, container, mails, oldId: String(before['Id']) },
    names: await namesOf(stage.lab, project),
    images: { old: String(before['Image']), wanted, named: await imageNamed(stage.lab, reference) },
    page: await pageAt(urlOf(container)).catch((error: Error) => error.message),
  };
}

/** The image that does not run now, under a digest that was never seen: a multi-platform tag with one more platform. */
async function publishOther(lane: Lane, running: string, number: number) {
  const { name: image, id: wanted } = running === lane.images.first.id ? lane.images.other : lane.images.first;
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const digest = await lane.stage.lab.registry.publishIndex(lane.tag, [
    { image, platform: { os: 'linux', architecture } },
    { image, platform: { os: 'linux', architecture: `lab${number}` } },
  ]);
  return { digest, wanted };
}

/** An update that ends without that call would be waited for in vain. */
async function neverCame(lane: Lane, name: string, digest: string, since: number): Promise<never> {
  await updateTo(lane.pilot, name, digest);
  const { status, error } = await endOfUpdate(lane.pilot, name, digest);
  const acts = lane.proxy.calls.slice(since).filter((call) => !call.startsWith('GET '));
  throw new Error(`never asked; the update is ${status} (${JSON.stringify(error)}) after\n${acts.join('\n')}`);
}

function urlOf(container: Inspected): string {
  return `http://127.0.0.1:${container['NetworkSettings']?.Ports['80/tcp']?.[0]?.HostPort}`;
}
