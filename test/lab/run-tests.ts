import { ensureBrowser } from './browser';
import { ensureCosign } from './cosign';
import { NGINX, RESTIC } from './debian-program';
import { labEnvironment } from './lab-environment';
import { LabBusy } from './lab-lock';
import { LabUnavailable } from './lab-unavailable';
import { ensurePodman } from './engine/podman';
import { ensureNotifyServers } from './notify-servers';
import { inWords, runJest, sum, type Tally } from './run-jest';
import { ensureS3Program } from './s3-program';
import { Interrupted, withLab } from './with-lab';

const WITHOUT_ENGINE = ['unit', 'workflow', 'http', 'contract', 'integration', 'architecture', 'field-fast'];
// A leaked handle of one test must not keep the whole run from its end; the lab ends what a test left running.
const END_TO_END = ['--forceExit', '--passWithNoTests', '--selectProjects'];
/** These tests mostly wait for containers: three files at once, and one on each of two more engines, keep two cores busy. */
const AT_ONCE = 3;

/**
 * `npm test`: every test, those that need no engine while the lab is brought up, then the end-to-end ones in it. Arguments
 * are handed on to Jest (`npm test -- lab.test`). The last line counts both.
 */
async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const chosen = wanted.length > 0 ? ['--passWithNoTests', ...wanted] : [];
  const fast = runJest(['--selectProjects', ...WITHOUT_ENGINE, '--maxWorkers=100%', ...chosen]);
  const total = sum(await Promise.all([fast, endToEnd(chosen, fast)]));
  const nothingRan = total.passed + total.failed === 0;
  if (nothingRan) console.error('no test ran at all');
  console.log(inWords(total));
  process.exitCode = total.failed > 0 || nothingRan ? 1 : 0;
}

/** They begin when `before` has ended: two runs side by side would take each other's time. */
async function endToEnd(chosen: string[], before: Promise<unknown>): Promise<Tally> {
  const say = (line: string) => console.error(`lab: ${line}`);
  try {
    return await withLab(say, async (lab) => {
      await ensureS3Program(say);
      await ensureBrowser(say);
      await NGINX.ensure(say);
      await ensureNotifyServers(say);
      await RESTIC.ensure(say);
      await ensureCosign(say);
      await ensurePodman(say);
      await before;
      const env = { ...process.env, ...labEnvironment(lab) };
      const endToEnd = (...args: string[]): Promise<Tally> => runJest([...END_TO_END, ...args, ...chosen], env);
      const together = await Promise.all([
        endToEnd('e2e', 'field', `--maxWorkers=${AT_ONCE}`),
        endToEnd('e2e-second-engine', '--runInBand'),
        endToEnd('e2e-swarm', '--runInBand'),
      ]);
      return sum([...together, await endToEnd('e2e-alone', '--runInBand')]);
    });
  } catch (error) {
    if (!(error instanceof LabBusy || error instanceof LabUnavailable)) throw error;
    // What it says is the last thing to be read.
    await before;
    if (error instanceof LabBusy) return fails(error.message);
    if (process.env['CI'] === 'true')
      return fails(`the end-to-end tests cannot run, and in CI nothing is skipped: ${error.message}`);
    return skipped(error.message, chosen);
  }
}

function fails(why: string): Tally {
  console.error(`\n!!! FAILED: ${why}\n`);
  return { passed: 0, failed: 1, skipped: 0 };
}

/** Lets Jest count the end-to-end tests without running any: no test has an empty name. */
async function skipped(why: string, chosen: string[]): Promise<Tally> {
  const tally = await runJest([
    '--selectProjects',
    'e2e',
    'e2e-second-engine',
    'e2e-swarm',
    'e2e-alone',
    'field',
    '--silent',
    '--testNamePattern',
    '^$',
    ...chosen,
  ]);
  console.error(`\n!!! SKIPPED: all ${tally.skipped} end-to-end tests, because ${why}\n`);
  return tally;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof Interrupted ? `\n${error.message}: the lab is taken down` : error);
    process.exit(error instanceof Interrupted ? 130 : 1);
  },
);
