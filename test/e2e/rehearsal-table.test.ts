import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { rehearsed, requestFrom } from '../support/e2e-majors';
import { REHEARSAL_CRASHES, type RehearsalCrash } from '../support/e2e-rehearsal-crashes';
import { namesOf, openStage, startedAt } from '../support/e2e-stage';
import { announce, updateTo } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { someOf } from '../support/exhaustive';

// SIGKILL of the real process in every stage of a rehearsal on a real engine, and a start on the same data: what it had made is
// gone, with volumes that have no name, production was never touched, and the rehearsal is repeated to its verdict.

const stage = openStage();
const TAGS = { app: 'rehearsal-table/app:stable', db: 'rehearsal-table/db:stable' };
let shop: ComposeProject;
let pilot: Pilot;
let proxy: EngineProxy;
let updates: Record<RehearsalCrash['of'], string>;
let production: { before: unknown; networks: string[]; volumes: string[] };

beforeAll(async () => {
  const { registry, images } = stage.lab;
  await registry.publishAndPull(images.APP_1, TAGS.app);
  await registry.publishAndPull(images.POSTGRES_15, TAGS.db);
  const watched = { 'diun.enable': 'true', 'update.policy': 'manual' };
  const services = appServices(stage.lab, registry.reference(TAGS.app), watched);
  const { db: server } = services;
  if (server === undefined) throw new Error('the app has no database');
  server.image = registry.reference(TAGS.db);
  server.labels = { ...server.labels, ...watched };
  shop = await stage.project('rehearsaltable', services, { top: APP_VOLUMES });
  const app = appOf(shop);
  await app.ready();
  await app.keep('erste');
  proxy = engineProxy((await stage.seeing(shop.name)).lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  const digest = await registry.publish(images.APP_2, TAGS.app);
  await announce(pilot, registry.reference(TAGS.app), digest);
  const { id } = await updateTo(pilot, await shop.containerName('app'), digest);
  await rehearsed(pilot, String(id));
  await registry.publish(images.POSTGRES_17, TAGS.db);
  const major = await requestFrom(pilot, await shop.containerName('db'));
  await rehearsed(pilot, String(major['id']));
  updates = { application: String(id), 'new major': String(major['id']) };
  production = { before: await running(), networks: await ours('network'), volumes: await ours('volume') };
}, 1_800_000);

const running = async () =>
  Promise.all(['db', 'app'].map((service) => shop.container(service))).then((all) =>
    all.map((one) => [one['Id'], startedAt(one), one['RestartCount']]),
  );

const ours = async (kind: 'volume' | 'network'): Promise<string[]> =>
  (await stage.lab.docker.lines([kind, 'ls', '--filter', `name=${shop.name}`, '--format', '{{.Name}}'])).sort();

const isOfRehearsal = (name: string): boolean => name.includes('.diun-pilot-rehearsal-');

/** What the rehearsal has made until now: containers by id, and the volumes that came with them. */
async function madeSoFar(): Promise<{ containers: string[]; volumes: string[] }> {
  const names = (await namesOf(stage.lab, shop)).filter(isOfRehearsal);
  const found = await Promise.all(names.map((name) => stage.lab.docker.inspect('container', name)));
  const mounts = found.flatMap((one) => (one?.['Mounts'] ?? []) as Inspected[]);
  return {
    containers: found.flatMap((one) => (one === null ? [] : [String(one['Id'])])),
    volumes: mounts.filter(({ Type }) => Type === 'volume').map(({ Name }) => String(Name)),
  };
}

async function stillThere(kind: 'container' | 'volume', names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => stage.lab.docker.inspect(kind, name)));
  return names.filter((_, i) => found[i] !== null);
}

test.each(someOf(REHEARSAL_CRASHES, 10).map((row) => [row.title, row] as const))('killed, %s', async (_, row) => {
  const id = updates[row.of];
  const from = proxy.calls.length;
  const held = proxy.hold(row);
  expect((await pilot.request(`/updates/${id}/rehearsal`, { method: 'POST' })).status).toBe(202);
  const never = async (): Promise<never> => {
    const { rehearsal } = await rehearsed(pilot, id);
    const acts = proxy.calls.slice(from).filter((call) => !call.startsWith('GET '));
    throw new Error(`never held: ${JSON.stringify(rehearsal)} after\n${acts.join('\n')}`);
  };
  await Promise.race([held, never()]);
  const made = await madeSoFar();
  expect(made.containers.length + made.volumes.length > 0 || row.title.endsWith('is removed')).toBe(true);
  await pilot.restart('SIGKILL');
  // The repeated rehearsal has containers of its own by then, or has ended.
  await eventually('what was made is gone', async () => {
    const left = [...(await stillThere('container', made.containers)), ...(await stillThere('volume', made.volumes))];
    if (left.length > 0) throw new Error(left.join(', '));
    return true;
  });
  const { status, rehearsal } = await rehearsed(pilot, id);
  expect([status, rehearsal.status, rehearsal.detail]).toEqual(['awaiting_approval', 'passed', expect.anything()]);
  expect((await namesOf(stage.lab, shop)).filter((name) => name.includes('diun-pilot'))).toEqual([]);
  expect(await running()).toEqual(production.before);
  expect([await ours('network'), await ours('volume')]).toEqual([production.networks, production.volumes]);
  expect((await appOf(shop).items()).map((item) => item.name)).toEqual(['erste']);
});
