import { someOf } from '../support/exhaustive';
import type { Method } from '../support/fake-engine';
import { actsIn } from '../support/restore-scene';
import { expectedMajor, foundMajor, runMajorForge } from '../support/major-scene';

// The process dies before and after every call that it makes to the engine while the data moves to a new PostgreSQL major,
// and is started again on the same database file. It ends with the old server or the new one, whole, with all of the data.

/** What is true after one of these is true before it; those that every crash table leaves out come on top. */
const READS: Method[] = ['archive', 'stat', 'changes', 'execOutput', 'registryDigest', 'images'];

async function withCrash(spoils: boolean, crash: { at: number; when: 'before' | 'after' } | null) {
  const major = runMajorForge({ spoils });
  const first = major.forge.scene;
  await major.request();
  const from = first.engine.callCount;
  if (crash === null) {
    await first.settle();
    return { major, scene: first, from, calls: first.engine.callCount };
  }
  const died = first.engine.crashAt(crash.at, crash.when);
  await Promise.race([died, first.settle()]);
  const second = first.restart();
  await second.settle();
  return { major, scene: second, from, calls: crash.at };
}

describe.each<[string, boolean, string]>([
  ['the same data on the new major', false, 'succeeded'],
  ['other data on the new major', true, 'rolled_back'],
])('%s, with a crash at every call', (_, spoils, ends) => {
  it('ends with one server, whole', async () => {
    const whole = await withCrash(spoils, null);
    const { from, calls } = whole;
    const [update] = whole.scene.updates();
    expect([update?.status, update?.error, update?.steps.map(({ name, status }) => `${name} ${status}`)]).toEqual([
      ends,
      spoils ? expect.objectContaining({ code: 'major_failed' }) : null,
      expect.arrayContaining(['move_data succeeded', spoils ? 'load_data failed' : 'load_data succeeded']),
    ]);
    expect(foundMajor(whole.major, whole.scene)).toEqual(expectedMajor(whole.major, spoils ? '15' : '17'));
    whole.scene.close();
    const { transcript } = whole.scene.engine;
    const reads = (at: number): boolean => READS.includes(transcript[at - 1]?.method ?? 'exec');
    const acts = actsIn(transcript.slice(0, calls), from).filter((at) => !reads(at));
    for (const at of someOf(acts, 7)) {
      for (const when of ['before', 'after'] as const) {
        const { major, scene } = await withCrash(spoils, { at, when });
        const where = `crash ${when} call ${at}: ${scene.engine.transcript[at - 1]?.line}`;
        const [ended, ...others] = scene.updates();
        expect([where, ended?.status, ended?.error?.message, others.length]).toEqual([
          ...[where, ends],
          spoils ? expect.anything() : undefined,
          0,
        ]);
        expect([where, foundMajor(major, scene)]).toEqual([where, expectedMajor(major, spoils ? '15' : '17')]);
        expect([where, scene.store.keptData.all().length]).toEqual([where, spoils ? 0 : 1]);
        scene.close();
      }
    }
  });
});
