import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createComposePlugin } from '../../src/adapters/compose/compose-plugin';
import { composeContract } from '../contract/compose.contract';
import { openStage } from '../support/e2e-stage';

// The lab has installed the plugin that `docker compose` runs; here it is asked by itself.
const stage = openStage();
let folder: string;
beforeAll(() => {
  folder = stage.lab.scratch('compose-contract');
});

const compose = (options: { places?: string[]; timeoutMs?: number } = {}) =>
  createComposePlugin({ scratch: join(folder, 'scratch'), ...options });

composeContract('the real Compose', () => ({ compose: compose(), folder }));

describe('the plugin', () => {
  const question = {
    ...{ project: 'contract', service: 'web', folder: '/tmp', envFiles: [] },
    composeFiles: ['services: {web: {image: "nginx:${PILOT_PORT:-unset}"}}'],
    way: { allProfiles: false, readsEnvFile: true, joins: null },
  };

  it('leaves no copy of the files behind, whether it could tell or not', async () => {
    await compose().configHash(question);
    await expect(compose().configHash({ ...question, service: 'nobody' })).rejects.toMatchObject({
      code: 'compose_failed',
    });
    expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
  });

  it('is told nothing of our own environment', async () => {
    const before = await compose().configHash(question);
    process.env['PILOT_PORT'] = '9999';
    const after = await compose()
      .configHash(question)
      .finally(() => delete process.env['PILOT_PORT']);
    expect(after).toBe(before);
  });

  it('is said to be missing where it is', async () => {
    const failure = compose({ places: ['/nowhere/docker-compose'] }).configHash(question);
    await expect(failure).rejects.toMatchObject({
      code: 'compose_failed',
      message: expect.stringContaining('is not installed next to diun-pilot'),
    });
  });

  it('is ended when it does not answer', async () => {
    const place = join(folder, 'docker-compose');
    writeFileSync(place, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    const failure = compose({ places: [place], timeoutMs: 50 }).configHash(question);
    await expect(failure).rejects.toMatchObject({
      code: 'compose_failed',
      message: expect.stringContaining('did not answer in time'),
    });
  });
});
