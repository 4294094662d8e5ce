import type { Place, TagChange, TagEdit } from './tag-edit';

/** What was changed, for the detail of a step and a mail. */
export function changeText({ path, line, shown }: TagEdit): string {
  return `${path}, line ${line}: "${shown.before}" is now "${shown.after}"`;
}

/** What the operator must change, where the line is known to the letter. */
export function editByHand(change: TagChange, { path, line, shown }: TagEdit, reason: string): string {
  return byHand(
    change,
    `in ${path}, service ${change.service}, ${lineChange(shown.before, shown.after)} (line ${line})`,
    reason,
  );
}

/** The same, where only the place is known, or not even that: then the project's files are named. */
export function placeByHand(change: TagChange, place: Place | null, files: readonly string[], reason: string): string {
  const { service, oldReference, newReference } = change;
  const asUsual = lineChange(`image: ${oldReference}`, `image: ${newReference}`);
  if (place === null) return byHand(change, `in ${files.join(', ')}, service ${service}, ${asUsual}`, reason);
  const isAsUsual = place.shown === null || place.shown === `image: ${oldReference}`;
  const what = isAsUsual ? asUsual : `change the line "${place.shown}" so that it names ${newReference}`;
  return byHand(change, `in ${place.path}, service ${service}, ${what} (line ${place.line})`, reason);
}

/** The files are right, but Compose does not know the container by them. */
export function recreatedOnce(container: string, { newReference }: TagChange, reason: string): string {
  return `The next "docker compose up -d" creates ${container} once more, from the same ${newReference}: run it when a short interruption suits you. ${reason}`;
}

function lineChange(before: string, after: string): string {
  return `change the line "${before}" to "${after}"`;
}

function byHand({ oldReference }: TagChange, what: string, reason: string): string {
  return `Still to do: ${what}. Until then, "docker compose up -d" goes back to ${oldReference}. diun-pilot did not change it automatically: ${reason}`;
}
