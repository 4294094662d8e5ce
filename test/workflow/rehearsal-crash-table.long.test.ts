import { someOf } from '../support/exhaustive';
import { NAMES, rehearsalOf, rehearsalScene, type RehearsalScene } from '../support/rehearsal-scene';
import { nextProcess, readsWhole } from '../support/restore-scene';

function heard(): RehearsalScene {
  const forge = rehearsalScene();
  readsWhole(forge.scene);
  forge.scene.hear('docker.io/library/gitea:1', forge.digest);
  return forge;
}

/** How many calls a whole rehearsal makes, the decision included. */
async function callsOfAll(): Promise<number> {
  const { scene } = heard();
  try {
    await scene.settle();
    expect(rehearsalOf(scene)).toMatchObject({ status: 'passed' });
    return scene.engine.callCount;
  } finally {
    scene.close();
  }
}

it.each(['before', 'after'] as const)(
  'leaves nothing behind when the process dies %s any call of a rehearsal',
  async (when) => {
    const calls = await callsOfAll();
    expect(calls).toBeGreaterThan(100);
    for (const k of someOf(
      Array.from({ length: calls }, (_, index) => index + 1),
      7,
    )) {
      const forge = heard();
      const volumes = [...forge.scene.engine.host.volumes.keys()];
      const died = forge.scene.engine.crashAt(k, when);
      await Promise.race([died, forge.scene.settle()]);
      const scene = nextProcess(forge.scene);
      try {
        await scene.settle();
        const seen = { k, names: scene.engine.containerNames(), volumes: [...scene.engine.host.volumes.keys()] };
        expect(seen).toEqual({ k, names: NAMES, volumes });
        expect({ k, status: rehearsalOf(scene)?.status }).toEqual({ k, status: 'passed' });
        const offers = scene.mails().filter(({ kind }) => kind === 'critical_update_available');
        expect({ k, offers: offers.length }).toEqual({ k, offers: 1 });
        for (const name of NAMES)
          expect({ k, name, runs: scene.engine.isRunning(name) }).toEqual({ k, name, runs: true });
      } finally {
        scene.close();
      }
    }
  },
  600_000,
);
