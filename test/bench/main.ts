import { withLab } from '../lab/with-lab';
import * as backup from './backup';
import * as downtime from './downtime';
import * as growth from './growth';
import * as handover from './handover';
import { missed } from './report';
import * as resources from './resources';
import * as restic from './restic';
import * as restore from './restore';
import * as swarm from './swarm';
import * as webhook from './webhook';

const WITHOUT_ENGINE = { webhook, resources, restic };
const IN_LAB = { downtime, handover, swarm, backup, restore, growth };

// `npm run bench`: every figure next to a peer or a bound, from one run; `npm run bench -- growth` runs that part only. A
// missed goal is shown, and is not a failure: the machine may be busy.
async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const chosen = <T>(parts: Record<string, T>): T[] =>
    Object.entries(parts).flatMap(([name, part]) => (wanted.length === 0 || wanted.includes(name) ? [part] : []));
  for (const part of chosen(WITHOUT_ENGINE)) await part.run();
  const inLab = chosen(IN_LAB);
  if (inLab.length > 0) {
    await withLab(
      (line) => console.error(line),
      async (lab) => {
        for (const part of inLab) await part.run(lab);
      },
    );
  }
  const short = missed();
  console.log(short.length === 0 ? 'every goal met' : `missed: ${short.map(({ what }) => what).join('; ')}`);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
