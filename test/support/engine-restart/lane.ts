import type { ComposeProject } from '../../lab/compose';
import type { Inspected } from '../../lab/engine/docker-cli';
import type { Pilot } from '../../lab/pilot';
import { runPilot, startPilotCommand } from '../e2e-cli';
import { engineProxy, type EngineProxy } from '../e2e-engine-proxy';
import { AUTOMATIC } from '../e2e-services';
import { imageNamed, type Stage } from '../e2e-stage';
import { announce, endOfUpdate, updateTo, type UpdateTold } from '../e2e-updates';
import { Broken, eventually } from '../eventually';
import { TO, type Row } from './rows';

/** One writer with one restart policy, which meets every restart of the engine. */
export interface Lane {
  policy: string;
  /** On the engine that restarts, where diun-pilot sees this lane alone. */
  stage: Stage;
  project: ComposeProject;
  tag: string;
}

/** A lane that has come to the call at which the engine ends. */
export interface Held {
  /** Lets connections through again, once the engine is back. */
  reconnect(): Promise<void>;
  /** Waits for the end of what was under way. */
  end(): Promise<AfterRestart>;
}

export interface AfterRestart {
  name: string;
  /** Names of every container of the lane. */
  names: string[];
  container: Inspected;
  oldId: string;
  images: { old: string; wanted: string | null; named: string | null };
  /** Null: an operator's restore. */
  update: UpdateTold | null;
  subjects: string[];
  /** What the writers logged on their starts. */
  log: string;
  schema: string;
  /** Written after the backup that an operator's restore brings back. */
  newer: boolean;
}

const PATIENCE_MS = 900_000;

export async function openLane(other: Stage, policy: string): Promise<Lane> {
  const { lab } = other;
  const tag = `engine-restart/writer-${policy}:stable`;
  await lab.registry.publishAndPull(lab.images.WRITER_1, tag);
  const writer = {
    image: lab.registry.reference(tag),
    restart: policy,
    network_mode: 'none',
    stop_grace_period: '1s',
    volumes: ['data:/data', 'lock:/lock'],
    labels: {
      ...AUTOMATIC,
      'update.probe': 'exec:test -e /dev/shm/ready',
      'update.probe.timeout': '6s',
      'backup.kind': 'files',
      'backup.paths': '/data',
    },
  };
  const project = await other.project(`restart-${policy}`, { writer }, { top: { volumes: { data: {}, lock: {} } } });
  return { policy, tag, project, stage: await other.seeing(project.name) };
}

/** Begins what the row is about, with a diun-pilot of its own, and resolves when it is held at the row's call. */
export async function holdAt(lane: Lane, row: Row): Promise<Held> {
  const { stage, project } = lane;
  await isWell(lane);
  const before = await project.container('writer');
  const name = String(before['Name']).slice(1);
  const proxy = engineProxy(stage.lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  const begun = { lane, pilot, proxy, name, before };
  const ends = row.course === 'restore' ? await beginRestore(begun, row) : await beginUpdate(begun, row);
  return {
    reconnect: async () => {
      await proxy.cut();
      await proxy.mend();
    },
    end: async () => {
      const after = await ends();
      const seen = { ...(await look(begun)), ...after };
      await pilot.stop();
      await proxy.cut();
      return seen;
    },
  };
}

interface ActiveUpdate {
  lane: Lane;
  pilot: Pilot;
  proxy: EngineProxy;
  name: string;
  before: Inspected;
}

type Ends = () => Promise<Pick<AfterRestart, 'update' | 'images' | 'subjects'>>;

/** Before a row: what the row before left does not decide this one. */
async function isWell({ stage, project }: Lane): Promise<void> {
  const { docker } = stage.lab;
  const started = await docker.attempt(['start', String((await project.container('writer'))['Id'])]);
  if (started.code !== 0) await project.up('--force-recreate');
  const id = String((await project.container('writer'))['Id']);
  const ready = async () => (await docker.attempt(['exec', id, 'test', '-e', '/dev/shm/ready'])).code === 0;
  await eventually(`the writer of ${project.name} is ready`, ready, { timeoutMs: PATIENCE_MS });
  await docker.run(['exec', id, 'rm', '-f', '/lock/log']);
}

async function beginUpdate({ lane, pilot, proxy, name, before }: ActiveUpdate, row: Row): Promise<Ends> {
  const { stage, tag } = lane;
  const { images, registry } = stage.lab;
  const good = (await imageNamed(stage.lab, images.WRITER_1)) === before['Image'] ? images.WRITER_2 : images.WRITER_1;
  const image = row.course === 'update' || row.course === 'restore' ? good : images[TO[row.course]];
  const digest = await publishUnseen(stage, image, tag);
  const from = proxy.calls.length;
  const held = proxy.hold(row);
  await announce(pilot, registry.reference(tag), digest);
  const never = async (): Promise<never> => {
    await updateTo(pilot, name, digest);
    const { status, reason } = await endOfUpdate(pilot, name, digest, PATIENCE_MS);
    throw new Error(`never held: ${status}, ${reason}, after\n${acts(proxy, from)}`);
  };
  await Promise.race([held, never()]);
  return async () => {
    const update = await endOfUpdate(pilot, name, digest, PATIENCE_MS);
    const subjects = await subjectsOf(pilot, update['status'] === 'succeeded' ? 1 : 2);
    const named = await imageNamed(stage.lab, registry.reference(tag));
    return { update, subjects, images: { old: before['Image'], wanted: await imageNamed(stage.lab, image), named } };
  };
}

let published = 0;

/** Under a digest that was never seen: a multi-platform tag with one more platform. */
function publishUnseen({ lab }: Stage, image: string, tag: string): Promise<string> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return lab.registry.publishIndex(tag, [
    { image, platform: { os: 'linux', architecture } },
    { image, platform: { os: 'linux', architecture: `lab${++published}` } },
  ]);
}

async function beginRestore({ lane, pilot, proxy, before }: ActiveUpdate, row: Row): Promise<Ends> {
  const { stage, project, tag } = lane;
  const env = { DOCKER_HOST: proxy.dockerHost };
  const backup = await runPilot(stage.lab, pilot.dataDir, ['backup', '--project', project.name], env);
  if (backup.code !== 0) throw new Error(`no backup: ${backup.stdout}${backup.stderr}`);
  await project.exec('writer', 'touch', '/data/newer');
  const held = proxy.hold(row);
  const from = proxy.calls.length;
  const args = ['restore', 'latest', '--yes'];
  const command = startPilotCommand(stage.lab, pilot.dataDir, args, proxy.dockerHost);
  stage.closing(() => command.stop());
  const never = async (): Promise<never> => {
    await command.ended;
    throw new Error(`never held: ${command.lines().join('\n')}, after\n${acts(proxy, from)}`);
  };
  await Promise.race([held, never()]);
  return async () => {
    const subjects = await subjectsOf(pilot, 1);
    await command.stop();
    const named = await imageNamed(stage.lab, stage.lab.registry.reference(tag));
    return { update: null, subjects, images: { old: before['Image'], wanted: null, named } };
  };
}

function acts({ calls }: EngineProxy, from: number): string {
  return calls
    .slice(from)
    .filter((call) => !call.startsWith('GET '))
    .join('\n');
}

/** What is missing is for the assertions to show. */
async function subjectsOf(pilot: Pilot, atLeast: number): Promise<string[]> {
  const arrived = async () => {
    if (!pilot.running) throw new Broken(`diun-pilot ended:\n${pilot.lines().slice(-15).join('\n')}`);
    return (await pilot.mails()).length >= atLeast;
  };
  await eventually('the mails arrive', arrived, { timeoutMs: PATIENCE_MS });
  return (await pilot.mails()).map(({ subject }) => subject ?? '');
}

async function look({ lane, name, before }: ActiveUpdate) {
  const { stage, project } = lane;
  const { docker } = stage.lab;
  const list = ['ps', '--all', '--filter', `name=^${project.name}-`, '--format', '{{.Names}}'];
  const names = (await docker.lines(list)).sort();
  const container = (await docker.inspect('container', name)) ?? {};
  const read = async (script: string) => (await docker.attempt(['exec', name, 'sh', '-c', script])).stdout.trim();
  return {
    name,
    names,
    container,
    oldId: String(before['Id']),
    log: await read('cat /lock/log'),
    schema: await read('cat /data/schema'),
    newer: (await read('ls /data')).split('\n').includes('newer'),
  };
}
