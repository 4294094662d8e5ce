import type { ErrorCode } from '../errors';

/** Something that a new container cannot take over exactly: its update is refused before anything is stopped. */
export interface Refusal {
  /** As the operator knows it: `HostConfig.Umask`, `backup.paths`, `post_start`. */
  field: string;
  reason: string;
  remedy: string;
  code: Extract<ErrorCode, 'recreate_refused' | 'preflight_blocked'>;
}

/** Files in a container's own layer, by path. */
export interface LayerFiles {
  /** Copied in before the start, as Compose does with `configs:` and `secrets:`: they are copied into the new container too. */
  copied: string[];
  /** Written by the application, outside of temporary and cache paths: they stay in the old container. */
  lost: string[];
}

/** What is known of a replacement before it is made. */
export interface CarryOver {
  refusals: Refusal[];
  /** Sentences for the operator. */
  notes: string[];
}

export const NOTHING_TO_SAY: CarryOver = { refusals: [], notes: [] };

/** For the plan: the update would be refused, or lose something. */
export function carryOverTexts({ refusals, notes }: CarryOver): string[] {
  return [...refusals.map((refusal) => `This update will be refused. ${refusalText(refusal)}`), ...notes];
}

export function refusalText({ field, reason, remedy }: Refusal): string {
  return `${field}: ${reason} ${remedy}`;
}

/** For the plan and the step; null: nothing is lost. */
export function lostText(container: string, { lost }: LayerFiles): string | null {
  if (lost.length === 0) return null;
  const files = lost.length === 1 ? '1 file' : `${lost.length} files`;
  return `${container} has ${files} outside of its volumes, which the new container does not have: ${listed(lost)}. Mount a volume there to keep them.`;
}

/** For the plan and the step; null: there are none. */
export function copiedText({ copied }: LayerFiles): string | null {
  if (copied.length === 0) return null;
  return `Files of Compose's configs and secrets are copied into the new container: ${listed(copied)}.`;
}

const LISTED = 5;

function listed(paths: readonly string[]): string {
  const more = paths.length - LISTED;
  return more > 0 ? `${paths.slice(0, LISTED).join(', ')} and ${more} more` : paths.join(', ');
}
