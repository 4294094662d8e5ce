import { eventually } from '../../support/eventually';
import { FakeSignals, runOn } from '../../support/cli-app';
import { openScene, type Scene } from '../../support/scene';

let scene: Scene;
let signals: FakeSignals;
beforeEach(() => {
  scene = openScene();
  signals = new FakeSignals();
});
afterEach(() => scene.close());

test('a second signal ends the process at once, while the first is still being obeyed', async () => {
  let finish: (() => void) | null = null;
  let serving = false;
  const running = runOn(scene, [], {
    signals,
    app: {
      startServing: () => {
        serving = true;
        return Promise.resolve({ port: 1 });
      },
      close: () => new Promise((resolve) => (finish = resolve)),
    },
  });
  await eventually('it serves', () => serving);
  signals.emit('SIGTERM');
  expect(signals.exits).toEqual([]);
  signals.emit('SIGTERM');
  expect(signals.exits).toEqual([130]);
  (await eventually('it closes', () => finish))();
  expect((await running).code).toBe(0);
});

test.each(['uncaughtException', 'unhandledRejection'])('%s: the process ends with 1', async (event) => {
  let serving = false;
  const running = runOn(scene, ['serve'], {
    signals,
    app: {
      startServing: () => {
        serving = true;
        return Promise.resolve({ port: 1 });
      },
    },
  });
  await eventually('it serves', () => serving);
  signals.emit(event, new Error('a defect'));
  expect(signals.exits).toEqual([1]);
  signals.emit('SIGTERM');
  expect((await running).lines).toContainEqual(
    expect.objectContaining({ level: 'error', event, error: expect.stringContaining('a defect') }),
  );
});

test('what cannot start is told on standard error, the app is closed, and 1', async () => {
  let closed = false;
  const { code, stderr } = await runOn(scene, ['serve'], {
    signals,
    app: {
      startServing: () => Promise.reject(new Error('no way')),
      close: () => {
        closed = true;
        return Promise.resolve();
      },
    },
  });
  expect(stderr).toContain('no way');
  expect([code, closed]).toEqual([1, true]);
});

test('a service that must be started again ends on its own, with 1 and the reason in the log', async () => {
  let closed = false;
  const { code, lines } = await runOn(scene, ['serve'], {
    signals,
    app: {
      mustEnd: Promise.resolve('The engine is lost.'),
      close: () => {
        closed = true;
        return Promise.resolve();
      },
    },
  });
  expect([code, closed, signals.exits]).toEqual([1, true, []]);
  expect(lines).toContainEqual(expect.objectContaining({ level: 'error', reason: 'The engine is lost.' }));
});
