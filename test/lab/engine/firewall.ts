import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, run } from '../command';

/**
 * dockerd leaves its rules in the machine's packet filter when it ends. Keeps how the filter was before, unless another
 * engine's rules are in it: those change while we run, so are not ours to put back. The first record since the last
 * restore counts: a crashed run's is nearer to the truth.
 */
export async function keepFirewall(home: string): Promise<void> {
  if (existsSync(record(home))) return;
  const before = await run('iptables-save', []);
  if (!/^:DOCKER /m.test(before)) writeFileSync(record(home), before + '\n');
}

export async function restoreFirewall(home: string): Promise<void> {
  if (!existsSync(record(home))) return;
  const before = readFileSync(record(home), 'utf8');
  // A table that did not exist before is absent from the record: empty it, as restoring would leave it alone.
  for (const table of ['nat', 'filter', 'raw', 'mangle']) {
    if (before.includes(`*${table}\n`)) continue;
    for (const act of [['-F'], ['-X']]) await attempt('iptables', ['-t', table, ...act]);
  }
  if (!before.includes('*filter\n')) await attempt('iptables', ['-P', 'FORWARD', 'ACCEPT']);
  await run('iptables-restore', [], { input: before });
  rmSync(record(home));
}

function record(home: string): string {
  return join(home, 'iptables.before');
}
