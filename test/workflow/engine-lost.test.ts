import { EngineError } from '../../src/domain/errors';
import { createDelivery } from '../../src/notifications/deliver';
import { watchEngine, type EngineWatch } from '../../src/queue/watch-engine';
import type { Mail } from '../../src/ports/mail-transport';
import { nginx, openScene, type Scene } from '../support/scene';
import { TestClock } from '../support/test-clock';

// With live-restore the containers outlive a restart of the engine, and a socket that is mounted as a file is dead from then on.
const MINUTE = 60_000;
let scene: Scene;
let clock: TestClock;
let watch: EngineWatch;
let ended: string[];
let sent: Mail[];
let transport: { send: (mail: Mail) => Promise<void> };

beforeEach(() => {
  scene = openScene();
  clock = new TestClock({ autoAdvance: false });
  scene.deps.clock = clock;
  ended = [];
  sent = [];
  transport = { send: (mail) => Promise.resolve(void sent.push(mail)) };
});
afterEach(() => {
  watch.stop();
  scene.close();
});

/** `policy` null: not in a container. */
async function start(policy: 'always' | 'unless-stopped' | 'on-failure' | 'no' | null): Promise<void> {
  const { engine, deps } = scene;
  engine.addImage({ reference: 'diun-pilot:1' });
  const spec = { name: 'pilot', image: 'diun-pilot:1', ports: {} };
  scene.deps.selfId = policy === null ? null : engine.runContainer(nginx({ ...spec, restart: policy }));
  const { store, logger } = deps;
  const names = { from: 'pilot@example.org', to: ['operator@example.org'] };
  const delivery = createDelivery({
    store,
    logger,
    clock,
    transport: { send: (mail) => transport.send(mail), check: () => Promise.resolve() },
    ...names,
  });
  watch = watchEngine({ deps, delivery, end: (reason) => void ended.push(reason) });
  // The first look is under way, and only then sleeps.
  await clock.advance(0);
  await clock.advance(MINUTE);
}
async function outageFor(minutes: number): Promise<void> {
  scene.engine.reachable = false;
  await clock.advance(minutes * MINUTE);
}
const subjects = (): string[] => scene.mails().map(({ subject }) => subject);

describe('in a container that Docker starts again', () => {
  it.each(['always', 'unless-stopped', 'on-failure'] as const)(
    'mails, then ends after five minutes (%s)',
    async (policy) => {
      await start(policy);
      await outageFor(5);
      expect([ended, sent]).toEqual([[], []]);
      await outageFor(1);
      expect(ended).toEqual([expect.stringContaining('five minutes')]);
      expect(sent.map(({ subject }) => subject)).toEqual(subjects());
      expect(subjects()).toEqual(['[diun-pilot] Docker: UNREACHABLE for 5 minutes – diun-pilot restarts']);
      expect(sent[0]?.text.replace(/\s+/g, ' ')).toContain(
        'diun-pilot exits now, so that its restart policy starts it with the new socket.',
      );
    },
  );

  it('accepts webhooks until it ends', async () => {
    await start('always');
    await outageFor(4);
    scene.hear('docker.io/library/nginx:stable', `sha256:${'1'.repeat(64)}`);
    await outageFor(2);
    expect(scene.store.inbox.pending(10)).toHaveLength(1);
  });

  it('ends also when no mail server takes the mail, which the outbox keeps', async () => {
    await start('always');
    transport.send = () => new Promise(() => undefined);
    await outageFor(6);
    expect(ended).toHaveLength(1);
    expect(subjects()).toHaveLength(1);
    expect(scene.store.outbox.state()).toMatchObject({ pending: 1 });
  });

  it('stays when the engine answers again in time, and counts the next outage from its own beginning', async () => {
    await start('always');
    await outageFor(4);
    scene.engine.reachable = true;
    await clock.advance(MINUTE);
    await outageFor(4);
    expect([ended, subjects()]).toEqual([[], []]);
  });

  it('stays when no engine has answered this process yet: a new start would find no other socket', async () => {
    scene.engine.reachable = false;
    await start('always');
    await outageFor(60);
    expect([ended, subjects()]).toEqual([[], []]);
  });

  it('counts a proxy that answers without an engine as no answer', async () => {
    await start('always');
    scene.engine.onCall('version', () => {
      throw new EngineError('engine_refused', 'the engine does not answer');
    });
    await clock.advance(6 * MINUTE);
    expect(ended).toHaveLength(1);
  });

  it('reads its restart policy again when it could not at first', async () => {
    scene.engine.failNext('inspectContainer', new EngineError('engine_refused', 'not now'));
    await start('always');
    await outageFor(6);
    expect(ended).toHaveLength(1);
  });
});

describe('stays, with one mail for each outage,', () => {
  it.each([
    ['outside a container', null, 'restart the proxy of its socket'],
    ['in a container without a restart policy', 'no', 'Restart that container'],
  ] as const)('%s', async (_, policy, advice) => {
    await start(policy);
    await outageFor(60);
    expect([ended, subjects()]).toEqual([
      [],
      ['[diun-pilot] Docker: UNREACHABLE for 5 minutes – manual action required'],
    ]);
    expect(scene.mails()[0]?.text.replace(/\s+/g, ' ')).toContain(advice);
    scene.engine.reachable = true;
    await clock.advance(MINUTE);
    await outageFor(60);
    expect([ended, subjects().length]).toEqual([[], 2]);
  });

  it('in a container that reaches the engine over a network: its address is not a mounted file', async () => {
    scene.engine.address = { host: 'socket-proxy', port: '2375' };
    await start('always');
    await outageFor(6);
    expect([ended, subjects().length]).toEqual([[], 1]);
  });
});

it('does nothing once it is stopped', async () => {
  await start('always');
  watch.stop();
  await outageFor(60);
  expect([ended, subjects()]).toEqual([[], []]);
});
