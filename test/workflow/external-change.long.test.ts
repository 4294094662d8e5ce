import { someOf } from '../support/exhaustive';
import { requestOf } from '../support/fake-engine-create';
import type { FakeEngine } from '../support/fake-engine';
import type { Behaviour } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

// Somebody else acts on the engine before each single call of an update, as `docker compose up -d`, `docker rm -f`,
// `docker tag` or a second diun-pilot do.

const NAME = 'web-nginx-1';
const TAG = 'nginx:stable';
interface Act {
  /** False: it leaves no container of the name, if it comes when there is no other to take its place. */
  keeps: boolean;
  /** What it puts in the place of the container cannot start: it has the name only where nothing of the update is left. */
  cannotStart?: boolean;
  act(engine: FakeEngine, images: Images, scene: Scene): void;
}
interface Images {
  old: string;
  next: string;
  third: string;
}

const ACTS: Record<string, Act> = {
  'recreates the container from its tag': { keeps: true, act: (engine) => recreate(engine) },
  'recreates it on the new image': {
    keeps: true,
    act: (engine, { next }) => {
      engine.host.images.tags.set(TAG, present(engine, next));
      recreate(engine);
    },
  },
  'recreates it on another image': {
    keeps: true,
    act: (engine, { third }) => {
      engine.host.images.tags.set(TAG, third);
      recreate(engine);
    },
  },
  'creates another under its name, which cannot start': {
    keeps: true,
    cannotStart: true,
    act: (engine) => createBroken(engine),
  },
  'creates another on another image under its name, which cannot start': {
    keeps: true,
    cannotStart: true,
    act: (engine, { third }) => {
      engine.host.images.tags.set(TAG, third);
      createBroken(engine);
    },
  },
  'removes the container': { keeps: true, act: (engine) => removeIfThere(engine, NAME) },
  'removes every container of it': {
    keeps: true,
    act: (engine) => {
      for (const name of [NAME, ...aside(engine)]) removeIfThere(engine, name);
    },
  },
  'gives it another name': {
    keeps: true,
    act: (engine) => {
      if (engine.containerNames().includes(NAME)) engine.host.rename(engine.host.find(NAME), `0123_${NAME}`);
    },
  },
  'removes the old one where it is aside': { keeps: true, act: (engine) => removeAside(engine, '-old-') },
  'removes the new one where it is aside': { keeps: true, act: (engine) => removeAside(engine, '-new-') },
  'moves the tag': { keeps: true, act: (engine, { third }) => void engine.host.images.tags.set(TAG, third) },
};

function aside(engine: FakeEngine): string[] {
  return engine.containerNames().filter((name) => name.startsWith(`${NAME}.diun-pilot-`));
}

function removeAside(engine: FakeEngine, mark: string): void {
  for (const name of aside(engine).filter((each) => each.includes(mark))) removeIfThere(engine, name);
}

/** Pulled by whoever acts, if the update has not done it yet. */
function present(engine: FakeEngine, id: string): string {
  const digest = [...digests].find(([, image]) => image === id)?.[0] ?? '';
  return engine.host.images.pull(`nginx@${digest}`).id;
}
const digests = new Map<string, string>();

function removeIfThere(engine: FakeEngine, name: string): void {
  if (!engine.containerNames().includes(name)) return;
  engine.host.stop(engine.host.find(name));
  if (engine.containerNames().includes(name)) engine.host.remove(name);
}

/** One of its networks is gone. */
function createBroken(engine: FakeEngine): void {
  removeIfThere(engine, NAME);
  engine.addNetwork('gone');
  engine.host.create(NAME, requestOf(nginx({ networks: ['gone'] })));
  engine.host.networks.delete('gone');
}

/** As Compose does: everything of the service goes, and one is made from what the tag names. */
function recreate(engine: FakeEngine): void {
  for (const name of [NAME, ...aside(engine)]) removeIfThere(engine, name);
  engine.host.start(engine.host.create(NAME, requestOf(nginx())));
}

async function updateWith(
  health: Behaviour,
  act: Act | null,
  at: number,
): Promise<{ scene: Scene; images: Images; oldId: string }> {
  const scene = openScene();
  const third = scene.engine.addImage({ reference: 'nginx:other' });
  const old = scene.engine.addImage({ reference: TAG });
  const oldId = scene.engine.runContainer(nginx());
  const next = scene.engine.publish(TAG, { health });
  digests.clear();
  digests.set(next.digest, next.id);
  const images = { old: old.id, next: next.id, third: third.id };
  scene.hear('docker.io/library/nginx:stable', next.digest);
  if (act !== null) scene.engine.onCall(at, () => act.act(scene.engine, images, scene), { once: true });
  await scene.settle();
  return { scene, images, oldId };
}

/** What must be true of an update whose container somebody else has touched in its middle. */
function judge(
  scene: Scene,
  { keeps, cannotStart = false }: Act,
  images: Images,
  oldId: string,
  early: boolean,
): string[] {
  const wrong: string[] = [];
  const must = (is: boolean, what: string): void => void (is || wrong.push(what));
  const { engine } = scene;
  const all = scene.updates();
  const update = all[0];
  const bearer = engine.containerNames().includes(NAME) ? engine.container(NAME) : null;
  must(all.length === 1 && update?.finishedAt !== null, `it has an end (${update?.status})`);
  must(!update?.steps.some(({ status }) => status === 'running'), 'no step runs on');
  must(bearer !== null || !keeps || early, 'a container has the name');
  must(bearer === null || engine.tagged(TAG) === bearer.Image, 'the tag names what runs');
  const nothingLeft = cannotStart && aside(engine).length === 0 && bearer?.Id !== oldId;
  must(bearer === null || bearer.State.Running || nothingLeft, 'it runs');
  const failed = scene.mails().filter(({ kind }) => kind === 'update_failed');
  must(
    failed.length === (['failed', 'rolled_back', 'rollback_failed'].includes(update?.status ?? '') ? 1 : 0),
    'one mail of it',
  );
  if (update?.status === 'succeeded')
    must(bearer === null || bearer.Image !== images.old, 'succeeded: the new one runs');
  if (update?.status === 'rolled_back')
    must(
      (bearer === null && early) || (bearer !== null && bearer.Image !== images.next),
      'rolled back: the new one does not run',
    );
  if (update?.status === 'failed') {
    must(aside(engine).length === 0, `failed: nothing is left aside (${aside(engine).join(', ')})`);
    if (bearer !== null && bearer.Id !== oldId && !early)
      must(
        /externally|no container had the name/i.test(update.reason + failed[0]?.text),
        'failed: says that it was changed externally',
      );
  }
  const oldServes = bearer?.Id === oldId && bearer.State.Running;
  must(update?.status !== 'rollback_failed' || !oldServes, 'the old one runs and is healthy: rolled back');
  if (update?.status === 'rollback_failed')
    must(
      /externally|no container had the name/i.test(update.reason) &&
        /externally|no container had the name/i.test(failed[0]?.text ?? ''),
      `says who (${update.reason})`,
    );
  return wrong;
}

/** Calls of a whole run, and of those the ones by which it is decided: until its first step the container is the operator's. */
async function callsOf(health: Behaviour): Promise<{ calls: number; started: number }> {
  const { scene } = await updateWith(health, null, 0);
  const calls = scene.engine.callCount;
  scene.close();
  let started = 0;
  for (let at = calls; at >= 1 && started === 0; at--) {
    let steps = 0;
    const look: Act = { keeps: true, act: (...[, , seen]) => void (steps = stepsOf(seen)) };
    const run = await updateWith(health, look, at);
    run.scene.close();
    if (steps === 0) started = at;
  }
  return { calls, started };
}

const stepsOf = (scene: Scene): number => (scene.updates()[0]?.steps ?? []).length;
const neverStarted = (scene: Scene): boolean => stepsOf(scene) === 0;

describe.each<[string, Behaviour]>([
  ['a healthy image', 'healthy'],
  ['an image that never works', 'exits'],
])('during an update to %s somebody else', (_, health) => {
  let calls = 0;
  let started = 0;
  beforeAll(async () => void ({ calls, started } = await callsOf(health)));

  it.each(Object.entries(ACTS))(
    '%s: one whole container, the tag names it, and the verdict is true',
    async (_name, act) => {
      const seen: unknown[] = [];
      // What comes after the last look came after the update.
      for (const at of someOf(numbers(calls - 3), 5)) {
        const { scene, images, oldId } = await updateWith(health, act, at);
        const wrong = judge(scene, act, images, oldId, at <= started || neverStarted(scene));
        const line = scene.engine.lines({ reads: true })[at - 1];
        if (wrong.length > 0) seen.push([`before call ${at}, ${line}`, scene.updates()[0]?.status, ...wrong]);
        scene.close();
      }
      expect(seen).toEqual([]);
    },
    60_000,
  );
});

function numbers(to: number): number[] {
  return [...Array(to).keys()].map((index) => index + 1);
}
