import { freePort } from '../lab/free-port';
import { percentile, report } from './report';
import { startService } from './run-pilot';

const STARTS = 5;
const REST_SECONDS = 20;

/** Start to ready, and memory at rest. */
export async function run(): Promise<void> {
  const starts: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const service = await startService(await freePort());
    starts.push(service.readyAfterMs / 1000);
    await service.stop();
  }
  report({
    what: 'start to the first answer',
    value: percentile(starts, 0.5),
    unit: 's',
    goal: { sign: '≤', bound: 2 },
    against: `median of ${STARTS}; slowest ${Math.max(...starts).toFixed(2)} s`,
  });
  const service = await startService(await freePort());
  await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1000));
  report({ what: 'memory at rest', value: service.residentMiB(), unit: 'MiB', goal: { sign: '≤', bound: 110 } });
  await service.stop();
}
