import { parseImageReference, withTag } from './image-reference';

/** The reference to create by: the operator's spelling, with the tag of the target (`nginx:1.27.3` → `nginx:1.27.4`). */
export function newReferenceFor(oldReference: string, target: string): string {
  const old = parseImageReference(oldReference);
  const tag = parseImageReference(target).tag ?? 'latest';
  return (old.tag ?? 'latest') === tag ? oldReference : withTag(oldReference, tag);
}
