import { workOnce } from '../../../src/queue/worker';
import type { Behaviour } from '../../support/fake-engine-types';
import { FakeSignals, runOn } from '../../support/cli-app';
import { nginx, openScene, type Scene } from '../../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx());
});
afterEach(() => scene.close());

const publish = (health: Behaviour = 'healthy') =>
  scene.engine.publish('nginx:stable', { health, logs: ['bind() failed'] });

describe('update CONTAINER', () => {
  test('prints each step as it ends and the verdict in words, and ends with 0', async () => {
    publish();
    const { code, stdout, stderr } = await runOn(scene, ['update', 'web-nginx-1']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/The operator requested the update\.\n/);
    const ends = stdout.split('\n').filter((line) => /^[A-Za-z ]+: (succeeded|skipped)/.test(line));
    expect(ends.map((line) => line.split(/[:]/)[0])).toEqual([
      'Backup',
      'Pull',
      'Preflight',
      'Recreate',
      'Health check',
      'Cleanup',
    ]);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('Succeeded: web-nginx-1 runs nginx:stable and is healthy.');
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(0);
  });

  test('a version that does not become healthy: says that the old one serves, and ends with 1', async () => {
    publish('crash-loop');
    const { code, stdout } = await runOn(scene, ['update', 'web-nginx-1']);
    expect(stdout).toMatch(/^Health check: failed/m);
    expect(stdout).toMatch(
      /^Failed: web-nginx-1 was rolled back: the old container is running again and healthy\.\nReason: /m,
    );
    expect(code).toBe(1);
  });

  test('what already runs: says so, and ends with 0', async () => {
    const { code, stdout } = await runOn(scene, ['update', 'web-nginx-1']);
    expect(stdout).toMatch(/^web-nginx-1 already runs nginx:stable.*nothing to do/);
    expect(code).toBe(0);
  });

  test('a container that is not there: the ones that are, on standard error, and 1', async () => {
    const { code, stdout, stderr } = await runOn(scene, ['update', 'web-ngnix-1']);
    expect(stderr).toMatch(/^error: There is no container web-ngnix-1\. Watched containers: web-nginx-1\.\n$/);
    expect([code, stdout]).toEqual([1, '']);
  });

  test('without Docker: what to do, and 1', async () => {
    scene.engine.reachable = false;
    const { code, stderr } = await runOn(scene, ['update', 'web-nginx-1']);
    expect(stderr).toMatch(/^error: /);
    expect(code).toBe(1);
  });

  test('on a terminal a live line shows what happens, and is wiped before each line that stays', async () => {
    publish();
    const { stdout } = await runOn(scene, ['update', 'web-nginx-1'], { isTTY: true });
    expect(stdout).toContain('\r\u001b[Kwaiting until nothing else runs …');
    const shown = stdout.split('\n').map((line) => line.split('\r\u001b[K').at(-1));
    expect(shown.filter((line) => line?.endsWith('…'))).not.toContain('waiting until nothing else runs …');
    const live = stdout.split('\r\u001b[K').filter((part) => part !== '' && !part.includes('\n'));
    expect(live.length).toBeGreaterThan(0);
    for (const line of live) expect(line.length).toBeLessThan(60);
  });

  test('--json prints the update as the API does, and nothing else', async () => {
    publish();
    const { code, stdout } = await runOn(scene, ['update', 'web-nginx-1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ container: 'web-nginx-1', status: 'succeeded', backup: null });
    expect(code).toBe(0);
  });

  test('--json prints an error as the API does', async () => {
    const { code, stdout } = await runOn(scene, ['update', 'nothing', '--json']);
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'container_not_found', message: expect.any(String) } });
    expect(code).toBe(1);
  });

  test('while the service holds the lock, it follows what the service does', async () => {
    publish();
    const working = (async () => {
      while (!(await workOnce(scene.deps))) await scene.clock.sleep(300);
    })();
    const { code, stdout } = await runOn(scene, ['update', 'web-nginx-1'], {
      app: { startWorker: () => Promise.resolve(false) },
    });
    await working;
    expect(stdout).toContain('Succeeded: ');
    expect(code).toBe(0);
  });

  test('when the service that held the lock is gone, it takes the work over', async () => {
    publish();
    let tries = 0;
    const startWorker = async (): Promise<boolean> => {
      tries += 1;
      if (tries === 1) return false;
      await workOnce(scene.deps);
      return true;
    };
    const { code } = await runOn(scene, ['update', 'web-nginx-1'], { app: { startWorker } });
    expect([code, tries]).toEqual([0, 2]);
  });

  test('Ctrl-C stops following, closes the app and ends with 130; a second one ends at once', async () => {
    publish();
    const signals = new FakeSignals();
    let closed = false;
    const { code, stderr } = await runOn(scene, ['update', 'web-nginx-1'], {
      signals,
      app: {
        startWorker: () => Promise.resolve(signals.emit('SIGINT')),
        close: () => {
          signals.emit('SIGINT');
          closed = true;
          return Promise.resolve();
        },
      },
    });
    expect([code, closed, signals.exits]).toEqual([130, true, [130]]);
    expect(stderr).toMatch(/Interrupted/);
    expect(signals.listenerCount('SIGINT')).toBe(0);
  });
});

describe('updates', () => {
  test('lists what came of each, newest first', async () => {
    publish();
    await runOn(scene, ['update', 'web-nginx-1']);
    await runOn(scene, ['update', 'web-nginx-1']);
    const { code, stdout } = await runOn(scene, ['updates']);
    expect(stdout.split('\n')[0]).toMatch(/^ID +WHEN +CONTAINER +TO +STATUS +WHY$/);
    expect(stdout.split('\n')[1]).toMatch(/2026-01-05 \d\d:\d\d +web-nginx-1 +nginx:stable +ignored/);
    expect(stdout.split('\n')[2]).toMatch(/ succeeded /);
    expect(code).toBe(0);
  });

  test('filters, and says when there are older ones', async () => {
    for (let i = 0; i < 3; i++) await runOn(scene, ['update', 'web-nginx-1']);
    const { stdout } = await runOn(scene, ['updates', '--status', 'ignored', '--limit', '2']);
    expect(stdout).toMatch(/There are older ones: --limit 4/);
    const none = await runOn(scene, ['updates', '--container', 'other', '--json']);
    expect(JSON.parse(none.stdout)).toEqual({ updates: [], next: null });
  });

  test.each([[['--status', 'gone']], [['--limit', '0']], [['--limit', 'x']], [['extra']]])(
    'refuses %j with 1 and points to the help',
    async (args) => {
      const { code, stderr } = await runOn(scene, ['updates', ...args]);
      expect(stderr).toMatch(/error: .*\n[^]*--help/);
      expect(code).toBe(1);
    },
  );

  test('words of others cannot move the cursor', async () => {
    scene.store.updates.insert({
      ...{ container: 'a\u001b[2Jb\nc', project: null, service: null, policy: 'manual', status: 'ignored' },
      ...{ reason: 'r', source: 'diun', from: null, to: { reference: 'x:1', digest: null }, approval: null },
      followUp: null,
    });
    const { stdout } = await runOn(scene, ['updates']);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('ab c');
  });
});
