import type { Container } from '../../domain/container';
import { tryParseImageReference } from '../../domain/images/image-reference';
import { compareVersions, versionOf, type Version, type VersionWords } from '../../domain/notes/versions';

/** Between which versions notes are read; `from` null: it is the same version, built again. */
export type Between = { from: Version; to: Version } | { from: null } | { problem: string };

/** By the tags where they say it, else by the version labels of the two images. */
export function versionsBetween(
  { reference, origin }: Pick<Container, 'reference' | 'origin'>,
  target: VersionWords,
): Between {
  const tag = tryParseImageReference(reference)?.tag ?? null;
  const from = versionOf({ tag, label: origin?.version ?? null });
  const to = versionOf(target);
  const floats = tag === target.tag && !(from?.exact === true && to?.exact === true);
  if (from === null || to === null || floats) return { problem: unknownVersion(from === null ? tag : target.tag) };
  const order = compareVersions(from.version, to.version);
  if (order === 0) return { from: null };
  if (order < 0) return { from: from.version, to: to.version };
  return { problem: `The update goes back from ${from.version.text} to ${to.version.text}, so no notes were read.` };
}

function unknownVersion(tag: string | null): string {
  return `The tag ${tag ?? ''} does not name a version, and the image has no usable label org.opencontainers.image.version.`;
}
