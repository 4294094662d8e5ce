import type { Container } from '../container';
import type { ContainerLabels } from '../labels/container-labels';

/**
 * What a decision was made of and a person may have been shown: the operator's own settings of the container. If they
 * change before the start, the decision no longer holds.
 */
export interface SeenSettings {
  labels: Pick<ContainerLabels, (typeof COMPARED)[number]['field']>;
  /** One clause each, sorted. */
  mounts: string[];
}

const COMPARED = [
  { field: 'policy', label: 'update.policy' },
  { field: 'allow', label: 'update.allow' },
  { field: 'strategy', label: 'update.strategy' },
  { field: 'probe', label: 'update.probe' },
  { field: 'probeTimeoutMs', label: 'update.probe.timeout' },
  { field: 'backup', label: 'backup.kind' },
] as const;

export function seenSettings({ labels, mounts }: Pick<Container, 'labels' | 'mounts'>): SeenSettings {
  const { policy, allow, strategy, probe, probeTimeoutMs, backup } = labels;
  return { labels: { policy, allow, strategy, probe, probeTimeoutMs, backup }, mounts: mounts.toSorted() };
}

/** What differs by now, one clause each; empty: nothing does. */
export function changedSettings(seen: SeenSettings, container: Pick<Container, 'labels' | 'mounts'>): string[] {
  const now = seenSettings(container);
  const changed = COMPARED.filter(({ field }) => asText(seen.labels[field]) !== asText(now.labels[field]));
  return [
    ...changed.map(({ field, label }) => `${label} was ${word(seen.labels[field])} and is ${word(now.labels[field])}`),
    ...changedMounts(seen.mounts, now.mounts),
  ];
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

/** Only the kind: the arguments of a command may hold a password. */
function word(value: Value): string {
  if (value === null || value === undefined) return 'not set';
  return typeof value === 'object' ? value.kind : String(value);
}
