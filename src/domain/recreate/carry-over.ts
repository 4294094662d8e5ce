import { capitalised } from '../format';
import type { ErrorCode } from '../errors';
import { shellQuoted, shellWord } from '../text/shell';

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
  /** Written by the application, outside of temporary and cache paths: the new container does not have them. */
  lost: string[];
  /** Files of the image that the start itself edits; the new container may have edited its own in the same way. */
  edited: string[];
  /** Of those that are lost or edited, altogether, as far as they were examined. */
  bytes: number;
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

/** The new image declares volumes where the container has none: the new container would have more than the old one. */
export function newVolumeRefusals(paths: readonly string[]): Refusal[] {
  return paths.map((path) => ({
    field: 'VOLUME',
    code: 'recreate_refused',
    reason: `the new image declares a volume at ${path}, and the container has none there.`,
    remedy: `Mount a volume at ${path}.`,
  }));
}

/** For the plan and the step; null: nothing is lost. */
export function lostText(container: string, { lost }: LayerFiles): string | null {
  if (lost.length === 0) return null;
  const files = lost.length === 1 ? '1 file' : `${lost.length} files`;
  return `${container} has ${files} outside of its volumes, which the new container does not have: ${listed(lost)}. After the update they are kept for a day in a stopped container. Mount a volume there to keep them.`;
}

/** Why a container that holds such files still exists, with the commands for it. */
export function keptReason(container: string, holder: string, files: readonly string[]): string {
  const first = files.find(({ length }) => length <= LONGEST) ?? 'PATH';
  const count = files.length === 1 ? '1 file' : `${files.length} files`;
  const copy = `Copy one out: docker cp ${shellWord(`${holder}:${first}`)} . Remove the container: docker rm ${holder}`;
  return `It holds ${count} that ${container} had outside of its volumes: ${listed(files)}. ${copy}`;
}

/** For the verdict. `until`: in the operator's time zone. */
export function keptText({ name, reason }: { name: string; reason: string }, until: string): string {
  return `The container ${name} is kept, stopped, until ${until}. ${reason}`;
}

/** A data directory of another PostgreSQL major than the one that runs. `folder`: below `directory`. */
export interface KeptDirectory {
  container: string;
  what: string;
  directory: string;
  folder: string;
}

/** For the verdict, the mail, the page and `check`. `until`: in the operator's time zone. */
export function keptDataText(kept: KeptDirectory, until: string): string {
  const what = capitalised(kept.what);
  return `${what} of ${kept.container} is kept in ${kept.directory}/${kept.folder} of its volume until ${until}. Remove it earlier: ${removeDataCommand(kept)}`;
}

/** What is removed with a kept directory. */
export function topFolder(folder: string): string {
  return folder.split('/')[0] ?? folder;
}

/** For a shell on the host. */
export function removeDataCommand({ container, directory, folder }: KeptDirectory): string {
  return `docker exec -u 0 ${container} rm -rf ${shellQuoted(`${directory}/${topFolder(folder)}`)}`;
}

/** For the plan and the step; null: there are none. */
export function copiedText({ copied }: LayerFiles): string | null {
  if (copied.length === 0) return null;
  return `Files of Compose's configs and secrets are copied into the new container: ${listed(copied)}.`;
}

const LISTED = 5;
const LONGEST = 120;

/** The first few of them; of a very long one its end. */
export function listed(paths: readonly string[]): string {
  const more = paths.length - LISTED;
  const shown = paths.slice(0, LISTED).map((path) => (path.length > LONGEST ? `…${path.slice(-LONGEST)}` : path));
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
