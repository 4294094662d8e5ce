/**
 * What an update goes to: an image by its tag, and the digest that the registry names for that tag. An index has one digest for all
 * platforms: which image of it a host runs follows from the platform of the container.
 */
export interface ImageTarget {
  reference: string;
  digest: string;
}

/** Null: its digest is not known, so that nothing can be updated to it. */
export function targetOf({
  reference,
  digest,
}: Pick<ImageTarget, 'reference'> & { digest: string | null }): ImageTarget | null {
  return digest === null ? null : { reference, digest };
}
