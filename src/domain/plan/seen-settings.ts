import { createHash } from 'node:crypto';
import type { Container } from '../container';
import type { ContainerLabels, ProbeSpec } from '../labels/container-labels';

/**
 * What a decision was made of and a person may have been shown: the operator's own settings of the container. If they
 * change before the start, the decision no longer holds.
 */
export interface SeenSettings {
  labels: Omit<Pick<ContainerLabels, (typeof COMPARED)[number]['field']>, 'probe'> & { probe: SeenProbe };
  /** One clause each, sorted. */
  mounts: string[];
}

/** The arguments of a command may hold a password: of them only a fingerprint is kept. */
type SeenProbe = Exclude<ProbeSpec, { kind: 'exec' }> | { kind: 'exec'; fingerprint: string };

const COMPARED = [
  { field: 'policy', label: 'update.policy' },
  { field: 'allow', label: 'update.allow' },
  { field: 'allowDatabase', label: 'update.allow-database' },
  { field: 'strategy', label: 'update.strategy' },
  { field: 'probe', label: 'update.probe' },
  { field: 'probeTimeoutMs', label: 'update.probe.timeout' },
  { field: 'backup', label: 'backup.kind' },
  { field: 'askOn', label: 'update.ask-on' },
] as const;

export function seenSettings({ labels, mounts }: Pick<Container, 'labels' | 'mounts'>): SeenSettings {
  const { policy, allow, allowDatabase, strategy, probe, probeTimeoutMs, backup, askOn = [] } = labels;
  const kept = { policy, allow, allowDatabase, strategy, probe: seenProbe(probe), probeTimeoutMs, backup, askOn };
  return { labels: kept, mounts: mounts.toSorted() };
}

function seenProbe(probe: ProbeSpec): SeenProbe {
  if (probe.kind !== 'exec') return probe;
  return { kind: 'exec', fingerprint: createHash('sha256').update(JSON.stringify(probe.command)).digest('hex') };
}

/** What differs by now, one clause each; empty: nothing does. */
export function changedSettings(seen: SeenSettings, container: Pick<Container, 'labels' | 'mounts'>): string[] {
  const now = seenSettings(container);
  const changed = COMPARED.filter(
    ({ field }) => isKnown(seen, field) && asText(seen.labels[field]) !== asText(now.labels[field]),
  );
  return [
    ...changed.map(({ field, label }) => `${label} was ${word(seen.labels[field])} and is ${word(now.labels[field])}`),
    ...changedMounts(seen.mounts, now.mounts),
  ];
}

/** A plan of an earlier version may have been made without it. */
function isKnown({ labels }: SeenSettings, field: (typeof COMPARED)[number]['field']): boolean {
  return Object.hasOwn(labels, field);
}

function changedMounts(before: readonly string[], after: readonly string[]): string[] {
  const added = after.filter((mount) => !before.includes(mount)).map((mount) => `added: ${mount}`);
  const gone = before.filter((mount) => !after.includes(mount)).map((mount) => `gone: ${mount}`);
  const words = [...added, ...gone];
  return words.length === 0 ? [] : [`its mounts changed (${words.join('; ')})`];
}

type Value = SeenSettings['labels'][keyof SeenSettings['labels']];

/** As it was stored: JSON with its keys in the order in which they are read. */
function asText(value: Value): string {
  return JSON.stringify(value ?? null);
}

function word(value: Value): string {
  if (value === null || value === undefined) return 'not set';
  if (Array.isArray(value)) return value.length === 0 ? 'not set' : value.join(', ');
  return typeof value === 'object' && 'kind' in value ? value.kind : String(value);
}
