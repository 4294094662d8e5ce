/** One image of one platform, by digests (`sha256:…`). */
export interface PlatformImage {
  manifest: string;
  /** That of the image's configuration: the image ID, in an engine without the containerd image store. */
  config: string;
}
