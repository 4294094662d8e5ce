type Labels = Record<string, string>;

/** These stay even when the image says the same: the only power that they give an image is that more waits for approval. */
const KEPT = new Map<string, (value: string) => boolean>([
  ['update.allow', (value) => ['digest', 'patch'].includes(value.trim())],
]);

/**
 * The labels that the operator gave, without those that merely come from the image: an image must not be able to set its
 * own policy (docs/labels.md). The engine copies an image's labels into the container, so a label of equal value
 * cannot be distinguished from the image's and is dropped too.
 */
export function ownLabels(container: Labels | null | undefined, image: Labels | null | undefined): Labels {
  const inherited = new Map(Object.entries(image ?? {}));
  return Object.fromEntries(
    Object.entries(container ?? {}).filter(
      ([key, value]) => KEPT.get(key)?.(value) === true || inherited.get(key) !== value,
    ),
  );
}
