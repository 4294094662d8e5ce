import { schedulerCheck } from '../../src/diagnosis/health-report';
import { workProblems } from '../../src/diagnosis/problems';
import { createHealth } from '../../src/http/health/health';
import { systemClock } from '../../src/lib/clock';
import type { Store } from '../../src/ports/store';
import { runOn } from '../support/cli-app';
import { nginx, openScene, type Scene } from '../support/scene';

// One list of problems: whatever degrades `/health` is a note of `check`, too.

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx());
});
afterEach(() => scene.close());

async function degradedIn(check: 'docker' | 'scheduler' | 'outbox' | 'backups' | 'certificates'): Promise<string> {
  const { store, clock } = scene;
  const health = {
    pingEngine: () => Promise.resolve('pong'),
    scheduler: () => schedulerCheck({ status: 'ok' }, workProblems(store.timers.all())),
  };
  const { checks } = await createHealth({ version: '1', store, clock, health, channels: [] })();
  expect(checks[check].status).toBe('degraded');
  return checks[check].reason ?? '';
}

const at = '2026-01-05T02:00:00.000Z';
const SITUATIONS: [string, Parameters<typeof degradedIn>[0], string, (store: Store) => void][] = [
  [
    'a network that was lost',
    'docker',
    'web-nginx-1 has lost its network',
    (store) => store.notices.open('network_lost', 'web-nginx-1', 'web-nginx-1 has lost its network'),
  ],
  [
    'an object that the engine cannot describe',
    'docker',
    'the engine cannot describe web-nginx-1',
    (store) => store.notices.open('unreadable', 'web-nginx-1', 'the engine cannot describe web-nginx-1'),
  ],
  [
    'a container that an update left over',
    'docker',
    'web-nginx-1.diun-pilot-old-0123456789 still exists: It is left over from update u1.',
    (store) =>
      store.keptContainers.add({
        ...{ containerId: 'c1', container: 'web-nginx-1', name: 'web-nginx-1.diun-pilot-old-0123456789' },
        ...{ updateId: 'u1', reason: 'It is left over from update u1.', leftover: true, keepUntil: at },
      }),
  ],
  [
    'a backup that shrank',
    'backups',
    'the last backup of web is much smaller',
    (store) => store.notices.open('backup_shrunk', 'web', 'the last backup of web is much smaller'),
  ],
  [
    'a drill that failed',
    'backups',
    'the last restore drill of web failed',
    (store) => store.notices.open('drill_failed', 'web', 'the last restore drill of web failed'),
  ],
  [
    'a backup that failed',
    'backups',
    'the last backup of web failed',
    (store) => {
      const { id } = store.backups.insert({ project: 'web', container: null, reason: 'schedule', updateId: null });
      store.backups.change(id, { status: 'failed', finishedAt: at });
    },
  ],
  [
    'work without a timer in trouble',
    'scheduler',
    'retention: the storage does not answer',
    (store) => {
      store.timers.ring('retention', at);
      store.timers.done('retention', at, { outcome: 'Nothing removed.', trouble: 'the storage does not answer' });
    },
  ],
  [
    'a mail that was refused',
    'outbox',
    '1 mail was refused by the mail server',
    (store) =>
      store.outbox.refused(
        store.outbox.add({ kind: 'test', updateId: null, subject: 's', html: 'h', text: 't' }),
        '550',
      ),
  ],
  [
    'a renewal that failed',
    'certificates',
    'the last renewal failed',
    (store) => {
      const { id } = store.renewals.insert({ reason: 'schedule', dueAt: at });
      store.renewals.change(id, { status: 'failed', finishedAt: at });
    },
  ],
];

test.each(SITUATIONS)('%s is in /health and in check, in the same words', async (_what, check, words, make) => {
  make(scene.store);
  expect(await degradedIn(check)).toContain(words);
  // Files of storage and mail are real: a clock that jumps would not wait for them.
  const clock = { now: () => scene.clock.now(), sleep: systemClock.sleep.bind(systemClock) };
  const { stdout, code } = await runOn(scene, ['check'], { app: { clock } });
  const notes = stdout.split('\n').filter((line) => line.startsWith('note') && line.includes(words));
  expect(notes).toHaveLength(1);
  expect(code).toBe(0);
});
