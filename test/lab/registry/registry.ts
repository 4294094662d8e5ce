import { createHash } from 'node:crypto';
import type { DockerCli } from '../engine/docker-cli';
import { RegistryHttp, INDEX_TYPE, type Manifest } from './registry-http';

/** Repositories by image id that only carry layers into the registry; kept between runs, nobody runs them. */
export const UPLOADS = 'lab-upload';

export interface PlatformImage {
  image: string;
  platform: { os: string; architecture: string };
}

/**
 * The lab's registry, as somebody publishing images sees it. Publishing never moves a tag of the engine, as a registry
 * elsewhere would not: images go up under a name of their own, and the tag is set inside the registry.
 */
export class Registry {
  private readonly http: RegistryHttp;
  private readonly uploads = new Map<string, Promise<Manifest>>();

  constructor(
    readonly address: string,
    private readonly docker: DockerCli,
    /** The engine that pulls, where it is not the one that has the images. */
    private readonly puller: DockerCli = docker,
  ) {
    this.http = new RegistryHttp(address);
  }

  /** `library/nginx:stable` as an operator writes it in a compose file. */
  reference(name: string): string {
    return `${this.address}/${name}`;
  }

  /** Brings images into the registry ahead of their publication, which then takes no time. */
  async carryIn(localImages: string[]): Promise<void> {
    for (const image of localImages) await this.uploadOnce(image);
  }

  /** Publishes a local image as `library/nginx:stable`; returns the digest that the registry then gives for the tag. */
  async publish(localImage: string, name: string): Promise<string> {
    const { repository, tag } = split(name);
    const manifest = await this.upload(localImage, repository);
    return this.http.putManifest(repository, tag, manifest);
  }

  /** Publishes a multi-platform tag; returns the digest of its index, which is the one that Diun announces. */
  async publishIndex(name: string, images: PlatformImage[]): Promise<string> {
    const { repository, tag } = split(name);
    const manifests: object[] = [];
    for (const { image, platform } of images) {
      const manifest = await this.upload(image, repository);
      const digest = await this.http.putManifest(repository, digestOf(manifest), manifest);
      manifests.push({ mediaType: manifest.mediaType, size: Buffer.byteLength(manifest.text), digest, platform });
    }
    const text = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }, null, 3);
    return this.http.putManifest(repository, tag, { mediaType: INDEX_TYPE, text });
  }

  /** What the registry gives for a tag; null when the tag does not exist. */
  async tagged(name: string): Promise<{ digest: string; mediaType: string } | null> {
    const { repository, tag } = split(name);
    const manifest = await this.http.getManifest(repository, tag);
    return manifest && { digest: digestOf(manifest), mediaType: manifest.mediaType };
  }

  /** Publishes and pulls, so that the engine has the image by the published name, as an operator's `docker pull` does. */
  async publishAndPull(localImage: string, name: string): Promise<string> {
    const digest = await this.publish(localImage, name);
    await this.puller.run(['pull', '--quiet', this.reference(name)]);
    return digest;
  }

  /** Brings the image into the registry and makes its layers known in `repository`. */
  private async upload(localImage: string, repository: string): Promise<Manifest> {
    const { aside, manifest } = await this.uploadOnce(localImage);
    await this.http.mountBlobs(manifest, aside, repository);
    return manifest;
  }

  private async uploadOnce(localImage: string): Promise<{ aside: string; manifest: Manifest }> {
    const id = await this.docker.run(['image', 'inspect', '--format', '{{.Id}}', localImage]);
    const aside = `${UPLOADS}/${id.slice('sha256:'.length, 24)}`;
    const upload = this.uploads.get(aside) ?? this.uploadAside(localImage, aside);
    this.uploads.set(aside, upload);
    return { aside, manifest: await upload };
  }

  private async uploadAside(localImage: string, aside: string): Promise<Manifest> {
    const there = await this.http.getManifest(aside, 'latest');
    if (there) return there;
    const reference = `${this.address}/${aside}:latest`;
    await this.docker.run(['tag', localImage, reference]);
    try {
      await this.docker.run(['push', '--quiet', reference]);
    } finally {
      await this.docker.run(['image', 'rm', reference]);
    }
    const manifest = await this.http.getManifest(aside, 'latest');
    if (!manifest) throw new Error(`the registry has lost ${reference} right after its push`);
    return manifest;
  }
}

function split(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(':');
  return colon < 0
    ? { repository: name, tag: 'latest' }
    : { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

function digestOf(manifest: Manifest): string {
  return `sha256:${createHash('sha256').update(manifest.text).digest('hex')}`;
}
