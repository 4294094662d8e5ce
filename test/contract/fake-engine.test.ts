import { FakeEngine } from '../support/fake-engine';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { TestClock } from '../support/test-clock';
import { engineContract } from './engine.contract';
import { engineListsContract } from './engine-lists.contract';
import { engineLayerContract } from './engine-layer.contract';
import { engineNamespacesContract } from './engine-namespaces.contract';
import { engineRestartContract, restartPolicyContract } from './engine-restart.contract';
import type { EngineScene } from './engine-scene';

/** What the commands of the suite do in the shell of a real image. */
const SHELL: Scripts = {
  'sh -c exit 3': { exitCode: 3 },
  'sh -c echo out; echo err >&2; exit 3': { exitCode: 3, stdout: 'out\n', stderr: 'err\n' },
  'sh -c head -c 300000 /dev/zero | tr "\\0" a; echo end': { stdout: `${'a'.repeat(300_000)}end\n` },
  'sh -c echo $GIVEN': ({ env }) => ({ stdout: `${env.find((line) => line.startsWith('GIVEN='))?.slice(6) ?? ''}\n` }),
  'sleep 60': { hangs: true },
  'sh -c printf "\\0\\1\\377\\r\\n\\200"': { stdout: Buffer.from([0, 1, 255, 13, 10, 128]) },
  'head -c 104857600 /dev/zero': { stdout: Buffer.alloc(104_857_600) },
  'sh -c echo some; echo the reason >&2; exit 7': { exitCode: 7, stdout: 'some\n', stderr: 'the reason\n' },
  'sh -c cat | wc -c': ({ stdin }: CommandCall): Outcome => ({ stdout: `${stdin.length}\n` }),
  'sh -c head -c 10 >/dev/null; exit 4': { exitCode: 4 },
  'sh -c echo one; echo two; printf "\\033[31mred\\033[0m\\007\\n"': { stdout: 'one\ntwo\nred\n' },
};

function setUp(): Promise<EngineScene & { engine: FakeEngine }> {
  const clock = new TestClock();
  const engine = new FakeEngine(clock);
  engine.addImage({ reference: 'tool:1', scripts: SHELL, stopCode: ([first]) => (first === 'sh' ? 0 : 137) });
  engine.addNetwork('contract-net');
  const { digest } = engine.publish('127.0.0.1:5000/release:2');
  const scene = {
    engine,
    prefix: 'contract',
    image: 'tool:1',
    published: { reference: '127.0.0.1:5000/release:2', digest },
    unpublished: '127.0.0.1:5000/release:404',
    network: 'contract-net',
    hasVolume: (name: string) => Promise.resolve(engine.host.volumes.has(name)),
    passTime: () => clock.advance(100),
    takeDown: () => Promise.resolve(),
  };
  return Promise.resolve(scene);
}

engineContract('the fake engine', setUp);
engineNamespacesContract('the fake engine', setUp);
engineListsContract('the fake engine', setUp);
restartPolicyContract('the fake engine', setUp);
engineRestartContract('the fake engine', async () => {
  const scene = await setUp();
  return {
    ...scene,
    heeds: () => Promise.resolve(),
    restartDaemon: (how) => Promise.resolve(scene.engine.host.restartDaemon(how)),
  };
});
engineLayerContract('the fake engine', setUp);
