/** Who found the update: Diun's webhook, our own comparison with the registry, or the operator. */
export type Source = 'diun' | 'reconcile' | 'operator';

/** What Diun said, in our words. The body it comes from is kept raw in the inbox. */
export interface ImageEvent {
  /** Full reference with tag, as Diun writes it (`docker.io/library/nginx:stable`). */
  image: string;
  /** Digest of the tag: that of the index for a multi-platform image. Compare with RepoDigests, never with an image id. */
  digest: string;
  /** `new` does not mean "update": it is also another tag, or the first time that Diun sees it (facts, Diun). */
  status: 'new' | 'update';
  platform: string;
  provider: string;
  /** Label `org.opencontainers.image.url` of the image: written by a stranger. Null unless it is http(s). */
  releaseNotes: string | null;
}
