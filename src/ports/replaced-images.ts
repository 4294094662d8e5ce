/** An image that a successful update has replaced. */
export interface ReplacedImage {
  /** `sha256:…`, as the engine names it. */
  imageId: string;
  /** Such as `docker.io/library/nginx`. */
  repository: string;
  /** ISO 8601. */
  replacedAt: string;
}

/** Images that only diun-pilot's own updates replaced: no other image is ever removed. */
export interface ReplacedImages {
  /** In the transaction of the verdict. Replaced again: the newest time counts. */
  add(image: ReplacedImage): void;
  repositories(): string[];
  /** Newest first. */
  of(repository: string): ReplacedImage[];
  /** It is no longer on the engine. */
  remove(imageId: string): void;
}
