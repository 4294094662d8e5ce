import { withLab } from '../lab/with-lab';
import * as backup from './backup';
import * as downtime from './downtime';
import * as handover from './handover';
import { missed } from './report';
import * as resources from './resources';
import * as restore from './restore';
import * as webhook from './webhook';

// `npm run bench`: every figure next to a peer or a bound, from one run. A missed goal is told, and is no failure: the
// machine may be busy.
async function main(): Promise<void> {
  await webhook.run();
  await resources.run();
  await withLab(
    (line) => console.error(line),
    async (lab) => {
      await downtime.run(lab);
      await handover.run(lab);
      await backup.run(lab);
      await restore.run(lab);
    },
  );
  const short = missed();
  console.log(short.length === 0 ? 'every goal met' : `missed: ${short.map(({ what }) => what).join('; ')}`);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
