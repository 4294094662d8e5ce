import { requestUpdate } from '../../src/decisions/request-update';
import type { Update } from '../../src/domain/update';
import type { CommandCall, ImageSpec, Outcome, Scripts } from '../support/fake-engine-types';
import { settleThroughOutages } from '../support/engine-restart/faults';
import { someOf } from '../support/exhaustive';
import { aDump } from '../support/fake-postgres';
import { runForgeStack, type ForgeStack } from '../support/swarm/forge-stack';

// The process dies before and after every single call that it makes to engine and Swarm in the update of a service with data, and is
// started again on the same database file; or the connection to the engine is cut at that call, and the process goes on.

let forge: ForgeStack;
const last = (): Update => forge.scene.updates().at(-1) as Update;
const aside = (): string[] => forge.scene.engine.containerNames().filter((name) => name.includes('.diun-pilot-'));
const replicas = async (): Promise<(number | undefined)[]> =>
  (await forge.scene.swarm.services()).map(({ Spec }) => Spec.Mode.Replicated?.Replicas);

const RECOVERY_MS = 5_000;

function recoversAfterOutage({ scene, specs }: ForgeStack): void {
  const scripts = specs['postgres:15']?.scripts as Scripts;
  for (const [command, script] of Object.entries(scripts)) {
    scripts[command] = (call: CommandCall): Outcome => {
      const { cutAtMs } = scene.swarm;
      const recovers = cutAtMs !== null && scene.clock.tick() - cutAtMs < RECOVERY_MS;
      if (recovers) return { exitCode: 2, stderr: 'FATAL:  the database system is starting up' };
      return typeof script === 'function' ? script(call) : script;
    };
  }
}

describe('a SIGKILL of diun-pilot, and a cut connection, at every call', () => {
  type Crash = { on: 'engine' | 'swarm' | 'connection'; at: number; when: 'before' | 'after' };

  interface Situation extends ImageSpec {
    migrates?: boolean;
    /** PostgreSQL refuses everything for a while after the connection to the engine was cut, as after a restart of the engine. */
    recovers?: boolean;
  }

  async function updateWithCrash(
    { migrates = false, recovers = false, ...spec }: Situation,
    crash: Crash | null,
  ): Promise<{ engine: number; swarm: number; before: Buffer }> {
    forge = runForgeStack();
    const before = aDump('app', { version: '1', tables: ['user'] });
    forge.databases['app'] = before;
    const { digest } = forge.publish('gitea:1', spec);
    await requestUpdate(forge.scene.deps, { container: 'forge_gitea' });
    const { engine, swarm } = forge.scene;
    const change = migrates ? aDump('app', { version: '2', tables: ['note', 'user'] }) : before;
    swarm.onUpdate = (when) => {
      if (when === 'after' && swarm.lines.at(-1)?.includes(`@${digest}`)) forge.databases['app'] = change;
    };
    const ofRequest = { engine: engine.callCount, swarm: swarm.callCount };
    if (crash === null) await forge.scene.settle();
    else if (crash.on === 'connection') {
      if (recovers) recoversAfterOutage(forge);
      swarm.cutAt(ofRequest.swarm + crash.at, crash.when);
      await settleThroughOutages(forge.scene);
    } else {
      const at = ofRequest[crash.on] + crash.at;
      await Promise.race([forge.scene[crash.on].crashAt(at, crash.when), forge.scene.settle()]);
      forge.scene = forge.scene.restart();
      await forge.scene.settle();
    }
    expect(digest).toBe(last().to.digest);
    return { engine: engine.callCount - ofRequest.engine, swarm: swarm.callCount - ofRequest.swarm, before };
  }

  it.each<[string, Situation, string]>([
    ['of a good image', {}, 'succeeded'],
    ['of one that fails', { health: 'exits' }, 'rolled_back'],
    ['of one that changes the database and fails', { health: 'exits', migrates: true }, 'rolled_back'],
    ['the same, with a database that recovers', { health: 'exits', migrates: true, recovers: true }, 'rolled_back'],
  ])('%s: one verdict, one mail, every service at its scale, and nothing left', async (_, spec, verdict) => {
    const calls = await updateWithCrash(spec, null);
    forge.scene.close();
    expect(calls.swarm).toBeGreaterThan(20);
    const kinds = spec.recovers ? (['connection'] as const) : (['swarm', 'connection', 'engine'] as const);
    const rows = kinds.flatMap((on) =>
      Array.from({ length: calls[on === 'connection' ? 'swarm' : on] }, (_, index) => index + 1).flatMap((at) =>
        (['before', 'after'] as const).map((when): Crash => ({ on, at, when })),
      ),
    );
    for (const { on, at, when } of someOf(rows, 23)) {
      const where = `${when} call ${at} of the ${on}`;
      const { before } = await updateWithCrash(spec, { on, at, when });
      expect([where, forge.scene.updates().length, last().status]).toEqual([where, 1, verdict]);
      expect([where, await replicas()]).toEqual([where, [1, 1, 1]]);
      expect([where, aside()]).toEqual([where, []]);
      const images = (await forge.scene.swarm.services()).map(({ Spec }) => Spec.TaskTemplate.ContainerSpec?.Image);
      const wanted = verdict === 'succeeded' ? last().to.digest : forge.images['gitea:1']?.digest;
      expect([where, images[1]]).toEqual([where, `gitea:1@${wanted}`]);
      const running = forge.scene.engine.containerNames().filter((name) => name.startsWith('forge_gitea'));
      expect([where, running.length]).toEqual([where, 1]);
      expect([where, last().steps.some(({ status }) => status === 'running')]).toEqual([where, false]);
      const ends = forge.scene.mails().filter(({ kind }) => kind === 'update_failed' || kind === 'update_succeeded');
      expect([where, ends.length]).toEqual([where, 1]);
      expect([where, forge.databases['app']?.equals(before)]).toEqual([where, true]);
      forge.scene.close();
    }
  });
});
