import { Narrator } from './demo/narrator';
import { farewell, tour } from './demo/tour';
import { LabBusy } from './lab-lock';
import { LabUnavailable } from './lab-unavailable';
import type { Pilot } from './pilot';
import { Interrupted, withLab } from './with-lab';

/** `npm run demo`: a tour on real parts. It all stays up until Ctrl-C, or with DEMO_ONCE=1 goes when the tour is over. */
async function main(): Promise<void> {
  const narrator = new Narrator();
  console.log('diun-pilot: a tour on a real engine, a real registry and real containers. Ctrl-C takes it all down.');
  console.log('First the lab comes up; on a fresh machine that takes a few minutes, later seconds.\n');
  await withLab(narrator.aside, async (lab) => {
    const visitor = process.env['DEMO_ONCE'] !== '1';
    const pilot = await tour(lab, narrator, visitor);
    if (!visitor) return;
    farewell(pilot, narrator);
    await stayUp(pilot, narrator);
  });
}

function stayUp(pilot: Pilot, narrator: Narrator): Promise<never> {
  narrator.tell('Everything stays up until Ctrl-C.');
  return new Promise((_, reject) => {
    const watch = setInterval(() => {
      if (pilot.running) return;
      clearInterval(watch);
      reject(new Error(`diun-pilot ended: ${pilot.lines().slice(-10).join('\n')}`));
    }, 1_000);
  });
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    if (error instanceof Interrupted) {
      console.log('\nEverything is taken down.');
      process.exit();
    }
    const known = error instanceof LabUnavailable || error instanceof LabBusy;
    console.error(known ? `\nThe demo cannot run here: ${error.message}` : error);
    process.exit(1);
  },
);
