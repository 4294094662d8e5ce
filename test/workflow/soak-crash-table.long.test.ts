import { decideSoakLink } from '../../src/decisions/recovery-links';
import { adoptAside } from '../../src/containers/adopt-aside';
import { someOf } from '../support/exhaustive';
import type { Forge } from '../support/forge-scene';
import { ALL_WITH_READER, migratingReader, READER, versionIn } from '../support/migrating-reader';
import { nginx, openScene, type Scene } from '../support/scene';

// The process dies before and after every call to the engine from the end of an update on: while the soak fails and is rolled
// back, while it ends well, and while the old version runs again as the operator chose.

const NAME = 'web-nginx-1';
const LONG_MS = 3_600_000;
const CHECKED = { Test: ['CMD', 'true'], Interval: 1e9 };

interface Crash {
  at: number;
  when: 'before' | 'after';
}

/** Works with a crash, then as the next process; resolves with its scene, and how many calls were made without a crash. */
async function work(first: Scene, crash: Crash | null): Promise<{ scene: Scene; calls: number }> {
  const before = first.engine.callCount;
  if (crash === null) {
    await first.settle();
    return { scene: first, calls: first.engine.callCount - before };
  }
  await Promise.race([first.engine.crashAt(before + crash.at, crash.when), first.settle()]);
  const second = first.restart();
  await adoptAside(second.deps);
  await second.settle();
  return { scene: second, calls: crash.at };
}

/** Each crash must lead to what is seen without one. `every`: a run that is not exhaustive takes every nth call. */
async function everyCrash(
  run: (crash: Crash | null) => Promise<{ seen: unknown; calls: number }>,
  every: number,
): Promise<void> {
  const { seen: right, calls } = await run(null);
  expect(calls).toBeGreaterThan(3);
  const wrong: unknown[] = [];
  const all = Array.from({ length: calls }, (_, index) => index + 1);
  for (const at of someOf(all, every)) {
    for (const when of ['before', 'after'] as const) {
      const { seen } = await run({ at, when });
      if (JSON.stringify(seen) !== JSON.stringify(right)) wrong.push([`${when} call ${at}`, seen]);
    }
  }
  expect(wrong).toEqual([]);
}

async function soaking(health: 'never' | 'healthy', minutes: number, crash: Crash | null) {
  const first = openScene();
  first.engine.addImage({ reference: 'nginx:stable', config: { Healthcheck: CHECKED } });
  const oldId = first.engine.runContainer(nginx({ restart: 'always', labels: { 'update.soak': '30m' } }));
  const next = first.engine.publish('nginx:stable', { config: { Healthcheck: CHECKED } });
  first.hear('docker.io/library/nginx:stable', next.digest);
  await first.settle();
  next.spec.health = health;
  await first.clock.advance(minutes * 60_000);
  const { scene, calls } = await work(first, crash);
  await scene.clock.advance(60 * 60_000);
  await scene.settle();
  const { engine, store } = scene;
  const [update] = scene.updates();
  const seen = {
    ...{ updates: scene.updates().length, status: update?.status, soak: store.soaks.of(update?.id ?? '')?.status },
    ...{ names: engine.containerNames(), runs: engine.isRunning(NAME), isOld: engine.container(NAME).Id === oldId },
    tag: engine.tagged('nginx:stable') === engine.container(NAME).Image,
    policy: engine.container(NAME).HostConfig.RestartPolicy?.Name,
    mails: scene.mails().map(({ kind }) => kind),
    steps: update?.steps.map((step) => step.status),
    listed: [store.keptContainers.all(), store.disarmed.all()],
  };
  scene.close();
  return { seen, calls };
}

test(
  'a soak that fails ends rolled back, with one whole container, one verdict and one mail',
  () => everyCrash((crash) => soaking('never', 1, crash), 5),
  LONG_MS,
);

test(
  'a soak that ends well leaves the new container alone',
  () => everyCrash((crash) => soaking('healthy', 30, crash), 5),
  LONG_MS,
);

async function chosen(crash: Crash | null): Promise<{ seen: unknown; calls: number }> {
  const forge: Forge = migratingReader(true, { 'update.soak': '2h' });
  const oldId = forge.scene.engine.container(READER).Id;
  await forge.update(READER);
  forge.scene.engine.host.find(READER).image.spec.scripts = { ping: { exitCode: 1, stderr: 'panic' } };
  await forge.scene.clock.advance(60_000);
  await forge.scene.settle();
  const token = /approvals\/(\S+)/.exec(forge.scene.mails().at(-1)?.text ?? '')?.[1] ?? '';
  decideSoakLink(forge.scene.deps, token, { decision: 'approve', data: 'backup', name: READER });
  const { scene, calls } = await work(forge.scene, crash);
  const { engine } = scene;
  const [update] = scene.updates();
  const seen = {
    ...{ status: update?.status, version: versionIn(forge), isOld: engine.container(READER).Id === oldId },
    running: ALL_WITH_READER.filter((name) => engine.isRunning(name)),
    aside: engine.containerNames().filter((name) => name.includes('.diun-pilot-')),
    mails: scene.mails().map(({ kind }) => kind),
  };
  scene.close();
  return { seen, calls };
}

test(
  'the old version with the backup from before the update, as chosen, is reached from every crash',
  () => everyCrash(chosen, 15),
  LONG_MS,
);
