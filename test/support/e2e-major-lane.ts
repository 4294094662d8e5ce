import { cpSync } from 'node:fs';
import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from './e2e-app';
import { engineProxy, type EngineProxy, type Moment } from './e2e-engine-proxy';
import { approve, CONTENTS, DATA, psql, readyToApprove, seed, runSql } from './e2e-majors';
import { imageNamed, namesOf, type Stage } from './e2e-stage';
import { endOf, type UpdateTold } from './e2e-updates';
import { Broken, eventually } from './eventually';

/** One row of a crash table: what dies when diun-pilot has come to a call of the move of a server from 15 to 17. */
export interface MajorCrash extends Moment {
  title: string;
  /** The step that runs then. */
  step: string;
  ends: 'succeeded' | 'rolled_back';
}

/** What is true once the update has its end. */
export interface AfterMajorCrash {
  update: UpdateTold;
  /** The step that ran when it died. */
  step: string;
  name: string;
  names: string[];
  container: Inspected;
  /** The application, which is stopped meanwhile. */
  application: Inspected;
  oldId: string;
  images: { old: string; named: string | null };
  major: string;
  contents: { before: string; after: string };
  items: string[];
  /** What the updates have made in the volume and is still there. */
  folders: string[];
  /** Since the approval. */
  mails: { subject: string; text: string }[];
}

export type SeenMajors = Map<MajorCrash, AfterMajorCrash | Error>;

/** A shop with a database of 15 whose move to 17 was rehearsed: each row starts from there, as from a backup of the host. */
export interface MajorLane {
  stage: Stage;
  project: ComposeProject;
  proxy: EngineProxy;
  tag: string;
  db: string;
  id: string;
  /** Data directory of diun-pilot after the rehearsal. */
  rehearsed: string;
}

const WITHIN_MS = 900_000;
const HELD = { timeoutMs: WITHIN_MS, everyMs: 200 };

/** On `stage`, which may be that of another engine with the images of the lab. */
export async function openMajorLane(stage: Stage, name: string): Promise<MajorLane> {
  const { lab } = stage;
  const tag = `major-crash/${name}:stable`;
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, tag);
  const services = appServices(lab, lab.images.APP_1);
  const server = services['db'];
  if (server === undefined) throw new Error('the app has no database');
  server.image = lab.registry.reference(tag);
  server.labels['diun.enable'] = 'true';
  server['restart'] = 'always';
  const project = await stage.project(name, services, { top: APP_VOLUMES });
  await fill(project);
  const proxy = engineProxy((await stage.seeing(project.name)).lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  await lab.registry.publish(lab.images.POSTGRES_17, tag);
  const db = await project.containerName('db');
  const id = await readyToApprove(pilot, db);
  await eventually('the request for approval is sent', async () => (await pilot.mails()).length === 1);
  await pilot.stop();
  return { stage, project, proxy, tag, db, id, rehearsed: pilot.dataDir };
}

async function fill(project: ComposeProject): Promise<void> {
  const app = appOf(project);
  await app.ready();
  await app.keep('erste');
  await runSql(project, seed(1));
  // A killed server recovers with sequences up to 32 values ahead, unless a checkpoint has their last ones.
  await runSql(project, 'CHECKPOINT');
}

/** One after the other; an error ends the lane, and what comes after it is missing. */
export async function runMajorLane(lane: MajorLane, crashes: readonly MajorCrash[], seen: SeenMajors): Promise<void> {
  for (const crash of crashes) {
    const after = await killedAt(lane, crash).catch((error: Error) => error);
    seen.set(crash, after);
    if (after instanceof Error) return;
  }
}

async function killedAt(lane: MajorLane, crash: MajorCrash): Promise<AfterMajorCrash> {
  const held = await holdMajor(lane, crash);
  await held.pilot.kill('SIGKILL');
  await held.pilot.start();
  return held.end();
}

/** A move that has come to the call of its row. */
export interface HeldMajor {
  pilot: Pilot;
  /** Waits for the end of the update. diun-pilot has ended when it resolves or rejects. */
  end(): Promise<AfterMajorCrash>;
}

/** From the state after the rehearsal, as from a backup of the host. Rejects with diun-pilot ended. */
export async function holdMajor(lane: MajorLane, crash: MajorCrash): Promise<HeldMajor> {
  const { stage, project, proxy, db, id, tag } = lane;
  await project.down();
  await stage.lab.registry.publishAndPull(stage.lab.images.POSTGRES_15, tag);
  await project.up();
  await fill(project);
  await stage.lab.registry.publish(stage.lab.images.POSTGRES_17, tag);
  if (crash.ends === 'rolled_back') await lackExtension(project);
  const contents = await psql(project, 'shop', CONTENTS);
  const before = await project.container('db');
  const dataDir = stage.lab.scratch('pilot-data');
  cpSync(lane.rehearsed, dataDir, { recursive: true });
  const pilot = await stage.pilot({ dataDir, env: { DOCKER_HOST: proxy.dockerHost } });
  const orStop = async <T>(doing: Promise<T>): Promise<T> => {
    try {
      return await doing;
    } catch (error) {
      await pilot.stop();
      throw error;
    }
  };
  const mailed = (await pilot.mails()).length;
  const from = proxy.calls.length;
  let isHeld = false;
  void proxy.hold(crash).then(() => (isHeld = true));
  const comesThere = async (): Promise<boolean> => {
    if (isHeld) return true;
    const { status, error, steps } = (await pilot.get(`/updates/${id}`)) as UpdateTold;
    if (['awaiting_approval', 'queued', 'running'].includes(String(status))) return false;
    const acts = proxy.calls.slice(from).filter((call) => !call.startsWith('GET '));
    throw new Broken(`it ended: ${JSON.stringify([status, error, steps])} after\n${acts.join('\n')}`);
  };
  await orStop(approve(pilot, db, id).then(() => eventually('the call comes', comesThere, HELD)));
  const step = String(pilot.log().findLast(({ message }) => message === 'step started')?.['step']);
  const seen = { step, oldId: String(before['Id']), oldImage: String(before['Image']), contents, mailed };
  return { pilot, end: () => orStop(endOfMajor(lane, pilot, seen)) };
}

/** What was true before, and when it was held. */
interface SeenBefore {
  step: string;
  oldId: string;
  oldImage: string;
  contents: string;
  mailed: number;
}

async function endOfMajor(lane: MajorLane, pilot: Pilot, seen: SeenBefore): Promise<AfterMajorCrash> {
  const { stage, project, db, id, tag } = lane;
  const { step, oldId, oldImage, contents, mailed } = seen;
  const update = await endOf(pilot, id, WITHIN_MS);
  const app = appOf(project);
  const items = await eventually('the app answers', () => app.items());
  await eventually('the mail of the result', async () => (await pilot.mails()).length > mailed);
  await pilot.stop();
  const [container, application] = await Promise.all([project.container('db'), project.container('app')]);
  const reference = stage.lab.registry.reference(tag);
  return {
    ...{ update, step, name: db, container, application, oldId },
    names: await namesOf(stage.lab, project),
    images: { old: oldImage, named: await imageNamed(stage.lab, reference) },
    major: (await psql(project, 'app', 'SHOW server_version')).slice(0, 2),
    contents: { before: contents, after: await psql(project, 'shop', CONTENTS) },
    items: items.map((item) => item.name),
    folders: (await project.exec('db', 'sh', '-c', `ls -A ${DATA} | grep diun || true`)).split('\n').filter(Boolean),
    mails: (await pilot.mails()).slice(mailed).map(({ subject = '', text = '' }) => ({ subject, text })),
  };
}

/** After the rehearsal, and in no image: the load into 17 fails. */
async function lackExtension(project: ComposeProject): Promise<void> {
  const folder = '/usr/share/postgresql/15/extension';
  const script = `printf "default_version = '1'\\n" > ${folder}/only15.control; echo 'SELECT 1;' > ${folder}/only15--1.sql`;
  await project.compose(['exec', '-T', '-u', '0', 'db', 'sh', '-c', script]);
  await psql(project, 'shop', 'CREATE EXTENSION only15');
}

/** The old state whole or the new one whole, one mail, and a verdict that is true. Empty: all of it. */
export function wrongWithMajor(after: AfterMajorCrash): string[] {
  const { update, name, names, container, application, oldId, images, major, contents, items, folders, mails } = after;
  const wrong: string[] = [];
  const must = (is: boolean, what: string): void => void (is || wrong.push(what));
  const succeeded = update['status'] === 'succeeded';
  must(
    succeeded || update['status'] === 'rolled_back',
    `status ${update['status']}: ${JSON.stringify(update['error'])}`,
  );
  must(major === (succeeded ? '17' : '15'), `PostgreSQL ${major} runs, and the update is ${update['status']}`);
  must(contents.after === contents.before, `contents: ${contents.after}`);
  must(items.join() === 'erste', `items: ${items.join()}`);
  must(names.length === 2 && names.includes(name), `containers: ${names.join(', ')}`);
  must((container['Id'] === oldId) === !succeeded, succeeded ? 'a new container runs' : 'the old container runs');
  must((container['Image'] === images.old) === !succeeded, 'the image of the verdict runs');
  must(images.named === container['Image'], 'the tag names the image that runs');
  for (const each of [container, application]) {
    must(each['HostConfig'].RestartPolicy.Name === 'always', `the restart policy of ${each['Name']} is back`);
    must(each['State'].Running === true && !each['State'].Restarting, `${each['Name']} is ${each['State'].Status}`);
  }
  const kept = folders.filter((folder) => /^\.diun-pilot-before-[0-9a-z]{10}-01$/.test(folder));
  must(folders.length === kept.length && kept.length === (succeeded ? 1 : 0), `folders: ${folders.join(', ')}`);
  must(mails.length === 1, `mails: ${mails.map(({ subject }) => subject).join('; ')}`);
  const said = succeeded ? /the new version is healthy/ : /rolled back.*the old version is running/;
  must(said.test(mails[0]?.subject ?? ''), `subject: ${mails[0]?.subject}`);
  const command = `docker exec -u 0 ${name} rm -rf '${DATA}/${kept[0]}'`;
  must(
    !succeeded || (mails[0]?.text.includes(command) ?? false),
    `the mail names the kept directory: ${mails[0]?.text}`,
  );
  const running = (update['steps'] as { status: string }[]).filter(({ status }) => status === 'running');
  must(running.length === 0, 'no step runs on');
  return wrong;
}
