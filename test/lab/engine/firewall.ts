import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, run } from '../command';
import type { EngineNetwork } from './engine-place';

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

/** Puts the filter back as it was; beside another engine it only takes the rules about our bridge out. */
export async function restoreFirewall(home: string, bridge: string): Promise<void> {
  if (!existsSync(record(home))) return removeRulesAbout(bridge);
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

/** Lets an engine that writes no rules reach its own networks, where another one's policy drops what it does not know. */
export async function letThrough({ bridge, range }: Pick<EngineNetwork, 'bridge' | 'range'>): Promise<void> {
  await removeRulesAbout(bridge);
  const about = ['--source', range, '--destination', range, '--match', 'comment', '--comment', bridge];
  await run('iptables', ['--insert', 'FORWARD', ...about, '--jump', 'ACCEPT']);
}

export async function removeRulesAbout(bridge: string): Promise<void> {
  let table = '';
  for (const line of (await run('iptables-save', [])).split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const rule = line.split(' ');
    if (rule[0] !== '-A' || !rule.includes(bridge)) continue;
    await attempt('iptables', ['-t', table, '-D', ...rule.slice(1)]);
  }
}

function record(home: string): string {
  return join(home, 'iptables.before');
}
