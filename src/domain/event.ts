import type { ImageTarget } from './images/image-reference';

/** Who found the update: Diun's webhook, our own comparison with the registry, or the operator. */
export type Source = 'diun' | 'reconcile' | 'operator';

/** What Diun said, in our words. It is read once, when the webhook arrives; the inbox stores it with the raw body. */
export interface ImageEvent {
  /**
   * The full reference with its tag, as Diun writes it (`docker.io/library/nginx:stable`), and the digest of the tag: that of the index
   * for a multi-platform image. Compare it with RepoDigests, never with an image id.
   */
  target: ImageTarget;
  /** `new` does not mean "update": it is also another tag, or the first time that Diun sees it (docs/research/diun.md). */
  status: 'new' | 'update';
  platform: string;
  /** Label `org.opencontainers.image.url` of the image: written by a stranger. Null unless it is http(s). */
  releaseNotes: string | null;
}
