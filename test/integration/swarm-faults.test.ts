import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDockerSwarm } from '../../src/adapters/docker/swarm';
import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';

let engine: EngineServer;
let folder: string;
beforeEach(async () => {
  engine = await startEngineServer();
  folder = mkdtempSync(join(tmpdir(), 'swarm-'));
});
afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

const swarmAt = (dockerConfigDir: string | null = null) =>
  createDockerSwarm({ dockerHost: engine.address, dockerConfigDir });
const SPEC: ServiceSpec = {
  Name: 'web',
  Mode: { Replicated: { Replicas: 1 } },
  TaskTemplate: { ContainerSpec: { Image: `registry.example/web:1@sha256:${'1'.repeat(64)}` } },
};

test.each([
  ['no Swarm', { LocalNodeState: 'inactive', NodeID: '', ControlAvailable: false }, { role: 'none' }],
  ['a worker', { LocalNodeState: 'active', NodeID: 'n1', ControlAvailable: false }, { role: 'worker', nodeId: 'n1' }],
  ['a manager', { LocalNodeState: 'active', NodeID: 'n1', ControlAvailable: true }, { role: 'manager', nodeId: 'n1' }],
])('an engine that is %s', async (_, Swarm, role) => {
  engine.answers.set('/info', (_request, response) => json(response, { Swarm }));
  expect(await swarmAt().role()).toEqual(role);
});

test('an engine that is still joining its Swarm is asked again later', async () => {
  engine.answers.set('/info', (_request, response) => json(response, { Swarm: { LocalNodeState: 'pending' } }));
  await expect(swarmAt().role()).rejects.toMatchObject({ code: 'engine_unreachable' });
});

test.each([
  [500, 'rpc error: code = Unknown desc = update out of sequence', 'changed_meanwhile'],
  [404, 'service web not found', 'service_not_found'],
  [500, 'rpc error: code = Unknown desc = The swarm does not have a leader. It is possible …', 'engine_unreachable'],
  [
    503,
    'This node is not a swarm manager. Worker nodes can not be used to view or modify cluster state.',
    'engine_refused',
  ],
])('status %i, “%s” is %s', async (status, message, code) => {
  engine.answers.set('/services/web/update', (_request, response) => json(response, { message }, status));
  await expect(swarmAt().update({ ID: 'web', Version: { Index: 7 } }, SPEC)).rejects.toMatchObject({ code });
});

test('the version, the spec and the login for its registry are sent', async () => {
  const auths = { 'registry.example': { auth: Buffer.from('ann:secret').toString('base64') } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
  const seen: { auth: string; body: string }[] = [];
  engine.answers.set('/services/web/update', (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      seen.push({ auth: String(request.headers['x-registry-auth']), body });
      json(response, { Warnings: null });
    });
  });
  await swarmAt(folder).rollOut({ ID: 'web', Version: { Index: 7 } }, SPEC);
  expect(engine.requests.at(-1)).toContain('/services/web/update?version=7&registryAuthFrom=spec');
  expect(JSON.parse(seen[0]?.body ?? '')).toEqual(SPEC);
  expect(JSON.parse(Buffer.from(seen[0]?.auth ?? '', 'base64url').toString())).toMatchObject({
    username: 'ann',
    password: 'secret',
    serveraddress: 'registry.example',
  });
  await swarmAt(folder).rollBack({ ID: 'web', Version: { Index: 8 }, Spec: SPEC });
  expect(engine.requests.at(-1)).toContain('/services/web/update?version=8&rollback=previous');
});

test('a login that cannot be read blocks no way back: only a rollout needs it', async () => {
  writeFileSync(join(folder, 'config.json'), '{');
  engine.answers.set('/services/web/update', (_request, response) => json(response, { Warnings: null }));
  const seen = { ID: 'web', Version: { Index: 7 } };
  await expect(swarmAt(folder).rollOut(seen, SPEC)).rejects.toMatchObject({ code: 'registry_refused' });
  expect(engine.requests).not.toContainEqual(expect.stringContaining('/update'));
  await swarmAt(folder).update(seen, SPEC);
  expect(engine.requests.at(-1)).toContain('/services/web/update?version=7&registryAuthFrom=spec');
});
