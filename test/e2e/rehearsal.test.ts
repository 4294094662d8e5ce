import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { viewSocket } from '../lab/lab';
import type { Pilot } from '../lab/pilot';
import { appOf } from '../support/e2e-app';
import {
  CALLER,
  leaveCalls,
  networkOf,
  openListeners,
  PROXY_FILES,
  reachedFrom,
  serversOfProduction,
} from '../support/e2e-outbound';
import type { Service } from '../support/e2e-services';
import { namesOf, openStage, startedAt } from '../support/e2e-stage';
import { announce, pageAt, updateTo, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';

// A real application with real PostgreSQL data, whose next version is tried on a copy before the operator is asked.
const stage = openStage();
let shop: ComposeProject;
let pilot: Pilot;
let volumes: string[];
let networks: string[];

const reference = (tag: string): string => stage.lab.registry.reference(`rehearse/${tag}:stable`);
const inPython = (code: string): string => `exec:python3 -c "${code}"`;
/** Long enough to be looked at from inside while it is tried. */
const SLOW = inPython('import time; time.sleep(4)');
const NEEDS_CACHE = inPython("import socket; socket.create_connection(('cache', 6379), 2)");

beforeAll(async () => {
  const { registry, images } = stage.lab;
  for (const tag of ['app', 'slow', 'broken', 'cached', 'privileged', 'socket'])
    await registry.publishAndPull(images.APP_1, `rehearse/${tag}:stable`);
  shop = await stage.project('rehearse', services(), {
    files: PROXY_FILES,
    top: {
      volumes: { rows: {}, ...Object.fromEntries(['app', 'slow', 'broken', 'cached'].map((name) => [name, {}])) },
    },
  });
  const app = appOf(shop);
  await app.ready();
  for (const name of ['erste', 'zweite']) await app.keep(name);
  await allRun();
  // The process is a guest of the host, which has docker's real network: what a rehearsal must not reach is really there.
  pilot = await stage.pilot();
  volumes = await ours('volume');
  networks = await ours('network');
});

function services(): Record<string, Service> {
  const login = { APP_DB_HOST: 'db', APP_DB_NAME: 'app', APP_DB_USER: 'app', APP_DB_PASSWORD: 'geheim' };
  const watched = (name: string, probe: string, more: object = {}): Service => ({
    image: reference(name),
    environment: login,
    depends_on: ['db'],
    volumes: [`${name}:/data`],
    labels: {
      ...{ 'diun.enable': 'true', 'update.policy': 'manual', 'update.probe': probe, 'update.probe.timeout': '25s' },
      ...{ 'backup.kind': 'files', 'backup.paths': '/data', 'traefik.enable': 'true' },
    },
    ...more,
  });
  return {
    db: {
      image: stage.lab.images.POSTGRES_15,
      environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' },
      volumes: ['rows:/var/lib/postgresql/data'],
      labels: { 'update.probe': 'postgres', 'backup.kind': 'postgres' },
    },
    cache: {
      image: stage.lab.images.APP_BASE,
      entrypoint: ['python3', '-m', 'http.server', '6379'],
      labels: {},
    },
    app: watched('app', 'gitea', { ports: ['127.0.0.1::3000'], restart: 'always' }),
    slow: watched('slow', SLOW, { entrypoint: CALLER }),
    ...serversOfProduction(stage.lab),
    broken: watched('broken', 'gitea'),
    cached: watched('cached', NEEDS_CACHE),
    privileged: { ...watched('privileged', 'gitea', { privileged: true }), volumes: [] },
    socket: { ...watched('socket', 'gitea'), volumes: [`${viewSocket(stage.lab)}:/var/run/docker.sock`] },
  };
}

/** An update of a container that has ended is ignored, and would never be rehearsed. */
async function allRun(): Promise<void> {
  for (const service of Object.keys(services())) {
    const { Status } = (await shop.container(service))['State'] as Inspected;
    if (Status !== 'running') throw new Error(`${service} is ${Status}: ${await shop.compose(['logs', service])}`);
  }
}

/**
 * What this project has by name: other files of tests come and go on the same engine. Volumes without a name are removed with their
 * container, which the crash table on the fake engine counts.
 */
async function ours(kind: 'volume' | 'network'): Promise<string[]> {
  const list = [kind, 'ls', '--filter', `name=${shop.name}`, '--format', '{{.Name}}'];
  return (await stage.lab.docker.lines(list)).sort();
}

/** Diun reports a new image of the service; resolves with the update and the container that runs. */
async function hear(service: string, image: string): Promise<{ id: string; production: Inspected }> {
  const production = await shop.container(service);
  const digest = await stage.lab.registry.publish(image, `rehearse/${service}:stable`);
  await announce(pilot, reference(service), digest);
  const update = await updateTo(pilot, await shop.containerName(service), digest);
  expect(update).toMatchObject({ status: 'awaiting_approval' });
  return { id: String(update['id']), production };
}

async function verdict(id: string): Promise<UpdateTold> {
  return eventually(
    `the rehearsal of ${id} ends`,
    async () => {
      const update = (await pilot.get(`/updates/${id}`)) as UpdateTold;
      if (update['rehearsal']?.finishedAt) return update;
      throw new Error(JSON.stringify(update['rehearsal']));
    },
    { timeoutMs: 900_000 },
  );
}

async function mailOf(service: string): Promise<{ subject: string; text: string }> {
  const name = await shop.containerName(service);
  return eventually(`a mail about ${name}`, async () => {
    const mail = (await pilot.mails()).find(({ subject = '' }) => subject.includes(name));
    if (mail === undefined) throw new Error('there is none');
    return { subject: mail.subject ?? '', text: (mail.text ?? '').replace(/\s+/g, ' ') };
  });
}

/** Production runs as before, and nothing of a rehearsal is left. */
async function expectUntouched(service: string, before: Inspected): Promise<void> {
  const after = await shop.container(service);
  expect([after['Id'], startedAt(after), after['RestartCount']]).toEqual([before['Id'], startedAt(before), 0]);
  expect((await namesOf(stage.lab, shop)).filter((name) => name.includes('diun-pilot'))).toEqual([]);
  expect(await ours('volume')).toEqual(volumes);
  expect(await ours('network')).toEqual(networks);
}

test('passes: the schema before and after and the time are in the mail that asks', async () => {
  const { id, production } = await hear('app', stage.lab.images.APP_2);
  expect((await pilot.get(`/updates/${id}`)) as UpdateTold).toMatchObject({
    status: 'awaiting_approval',
    rehearsal: { status: 'running' },
  });
  expect((await pilot.mails()).length).toBe(0);
  const update = await verdict(id);
  expect(update).toMatchObject({ status: 'awaiting_approval', rehearsal: { status: 'passed' } });
  expect(update['rehearsal'].seconds).toBeGreaterThan(0);
  const { text } = await mailOf('app');
  expect(text).toMatch(/Rehearsed on a copy of a live backup from .*: schema migrated, healthy after \d+ s\./);
  expect(text).toMatch(/version 1 → 2, 1 column added \(items\.note\)/);
  expect(text).toContain('2 tables, 3 rows');
  expect(await appOf(shop).sql('SELECT version FROM version')).toContain('1');
  await expectUntouched('app', production);
});

describeIf(whyNoOtherEngine(), 'with servers that notice every connection', () => {
  test('nothing of a rehearsal arrives at production, the host or outside, and the reverse proxy never reaches it', async () => {
    const { calls, heard } = await openListeners(stage, shop);
    await leaveCalls(shop, 'slow', calls);
    await shop.compose(['restart', 'slow']);
    const name = await shop.containerName('slow');
    const all = calls.map((call) => call.join(' '));
    const everything = Object.fromEntries(all.map((call) => [call, 'reached']));
    expect(await eventually('production has called all', () => reachedFrom(stage.lab, name))).toEqual(everything);
    const before = await heard();
    const { address } = await networkOf(shop, 'slow');
    const mail = [`connection of ${address}`, `mail of ${address} to all@customers.test`];
    expect(before).toEqual({
      mail: [...mail, ...mail],
      database: ['login of the caller'],
      host: [expect.any(String)],
      outside: [expect.any(String)],
    });
    const site = await pageAt(`${await shop.url('proxy', 80)}/version`);
    expect(JSON.parse(site)).toMatchObject({ version: '1.0.0' });

    const { id, production } = await hear('slow', stage.lab.images.APP_2);
    const { trials, upstreams } = await watchRehearsal(id, `${name}.diun-pilot-rehearsal-`);
    expect([trials.length, upstreams]).toEqual([2, [`${address}:3000 1.0.0`]]);
    for (const { reached, container } of trials) {
      expect(Object.keys(reached)).toEqual(all);
      expect(Object.values(reached)).not.toContain('reached');
      expectUnknownToOthers(container);
    }
    expect(await heard()).toEqual(before);
    expect(await verdict(id)).toMatchObject({ rehearsal: { status: 'passed' } });
    await expectUntouched('slow', production);
  });
});

/** Both trials, from inside, and which upstreams the reverse proxy had meanwhile. */
async function watchRehearsal(id: string, prefix: string): Promise<{ trials: Trial[]; upstreams: string[] }> {
  const trials = new Map<string, Trial>();
  const upstreams = new Set<string>();
  const url = `${await shop.url('proxy', 80)}/version`;
  const look = async (): Promise<boolean> => {
    const { rehearsal } = (await pilot.get(`/updates/${id}`)) as UpdateTold;
    for (const name of await stage.lab.docker.lines(['ps', '--filter', `name=^${prefix}`, '--format', '{{.ID}}'])) {
      const container = await stage.lab.docker.inspect('container', name);
      const reached = await reachedFrom(stage.lab, name).catch(() => null);
      if (container && reached) trials.set(name, { container, reached });
      const answer = await fetch(url);
      const { version } = (await answer.json()) as { version: string };
      upstreams.add(`${answer.headers.get('x-upstream')} ${version}`);
    }
    return rehearsal?.finishedAt !== null;
  };
  await eventually(`the rehearsal of ${id} ends`, look, { timeoutMs: 900_000, everyMs: 100 });
  return { trials: [...trials.values()], upstreams: [...upstreams] };
}

interface Trial {
  container: Inspected;
  /** What it came to at its start, by what it tried. */
  reached: Record<string, string>;
}

function expectUnknownToOthers(container: Inspected): void {
  const labels = container['Config'].Labels as Record<string, string>;
  const { 'diun-pilot.rehearsal': mark, 'diun.enable': watched, ...others } = labels;
  expect([mark, watched, new Set(Object.values(others))]).toEqual([expect.any(String), 'false', new Set([''])]);
  expect(Object.keys(others)).not.toContain('traefik.enable');
  expect(container['HostConfig'].PortBindings).toEqual({});
}

test('fails when the new version migrates and is never healthy; production is untouched, the mail says so', async () => {
  const { id, production } = await hear('broken', stage.lab.images.APP_2_BROKEN);
  expect(await verdict(id)).toMatchObject({
    status: 'awaiting_approval',
    rehearsal: { status: 'failed', seconds: null },
  });
  const { subject, text } = await mailOf('broken');
  expect(subject).toContain('its rehearsal failed – approval required');
  expect(text).toContain('the current version became healthy, the new one did not.');
  expect(text).toContain('Production is unchanged. Not healthy within 25 seconds: /api/healthz answers 424');
  expect(text).toContain('You can still approve the update');
  await expectUntouched('broken', production);
});

test('is inconclusive for a container that needs a cache outside of its set', async () => {
  const { id, production } = await hear('cached', stage.lab.images.APP_2);
  expect(await verdict(id)).toMatchObject({ rehearsal: { status: 'inconclusive' } });
  expect((await mailOf('cached')).text).toContain('does not become healthy in isolation either');
  await expectUntouched('cached', production);
});

test.each([
  ['privileged', 'it is privileged'],
  ['socket', 'it mounts the socket'],
])('skips a container that is %s, with the reason', async (service, reason) => {
  const { id, production } = await hear(service, stage.lab.images.APP_2);
  const update = await verdict(id);
  expect(update['rehearsal']).toMatchObject({ status: 'skipped', detail: expect.stringContaining(reason) });
  expect((await mailOf(service)).text).toContain('Not rehearsed');
  await expectUntouched(service, production);
});

test('is repeated on request, and leaves nothing when the process is killed in the middle', async () => {
  const [update] = (await pilot.updates(`?container=${await shop.containerName('slow')}`)) as UpdateTold[];
  const before = await shop.container('slow');
  const answer = await pilot.request(`/updates/${update?.['id']}/rehearsal`, { method: 'POST' });
  expect([answer.status, ((await answer.json()) as UpdateTold)['rehearsal'].status]).toEqual([202, 'running']);
  await eventually('a container of the rehearsal runs', async () => {
    const names = (await namesOf(stage.lab, shop)).filter((name) => name.includes('diun-pilot-rehearsal'));
    if (names.length > 0) return names;
    throw new Error('there is none');
  });
  await pilot.restart('SIGKILL');
  expect(await verdict(String(update?.['id']))).toMatchObject({ rehearsal: { status: 'passed' } });
  await expectUntouched('slow', before);
  expect((await pilot.request('/updates/01ARZ3NDEKTSV4RRFFQ69G5FAV/rehearsal', { method: 'POST' })).status).toBe(404);
});
