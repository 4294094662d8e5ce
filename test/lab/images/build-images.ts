import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DockerCli } from '../engine/docker-cli';
import { BASE_IMAGES, type BaseImage, type BaseName, type PackagedImage } from './base-images';
import { importDebian, ROOTFS_RECIPE } from './debian-rootfs';
import { IMAGE_NAMES, RECIPES, type ImageName } from './recipes';

/** Where the base images come from on this machine. */
export type ImageOrigin = 'public' | 'distribution';

/** Local names by which the engine knows the lab's images. */
export type LabImages = Record<ImageName, string>;

export interface ImageBuilder {
  /** Builds what is missing. An image's tag is a hash of its recipe, so a changed recipe is built anew. */
  buildAll(): Promise<LabImages>;
  /** The same image under another digest; `mark` tells one variant from another. */
  variantOf(image: string, mark: string): Promise<string>;
}

export interface BuildOptions {
  origin: ImageOrigin;
  cacheDir: string;
  say: (line: string) => void;
  /** Told of every tag that was not there before: a guest of somebody's engine takes those away again. */
  made: (tag: string) => void;
}

export function imageBuilder(docker: DockerCli, options: BuildOptions): ImageBuilder {
  return new Builder(docker, options);
}

class Builder implements ImageBuilder {
  private readonly known = new Map<string, Promise<string>>();

  constructor(
    private readonly docker: DockerCli,
    private readonly options: BuildOptions,
  ) {}

  async buildAll(): Promise<LabImages> {
    const images: Partial<LabImages> = {};
    for (const name of IMAGE_NAMES) images[name] = await this.image(name);
    return images as LabImages;
  }

  variantOf(image: string, mark: string): Promise<string> {
    return this.dockerfile('variant', image, 'variant/Dockerfile', { VARIANT: mark });
  }

  private image(name: BaseName | ImageName): Promise<string> {
    const image = this.known.get(name) ?? (isBase(name) ? this.base(name) : this.onTop(name));
    this.known.set(name, image);
    return image;
  }

  private async onTop(name: ImageName): Promise<string> {
    const recipe = RECIPES[name];
    return this.dockerfile(repository(name), await this.image(recipe.from), recipe.dockerfile, recipe.args ?? {});
  }

  private async base(name: BaseName): Promise<string> {
    const base: BaseImage = BASE_IMAGES[name];
    if (this.options.origin === 'public') return this.pulled(base.public);
    if ('suite' in base.distribution) return this.debian(base.distribution.suite);
    return this.packaged(name, base.distribution);
  }

  private async pulled(reference: string): Promise<string> {
    await this.unlessThere(reference, () => this.docker.run(['pull', '--quiet', reference]));
    return reference;
  }

  private async debian(suite: string): Promise<string> {
    const tag = `lab/debian-${suite}:${ROOTFS_RECIPE}`;
    await this.unlessThere(tag, () => importDebian(this.docker, suite, tag, this.options.cacheDir));
    return tag;
  }

  private async packaged(name: BaseName, image: PackagedImage): Promise<string> {
    const on = await this.image(image.on);
    const installed = await this.dockerfile(
      `${repository(name)}-packages`,
      on,
      `${image.folder}/Dockerfile`,
      image.args,
    );
    const tag = `lab/${repository(name)}:${hash([installed, JSON.stringify(image.freeze)])}`;
    await this.unlessThere(tag, () => this.freeze(installed, image.freeze, tag));
    return tag;
  }

  /** Writes into the image's environment what its packages say of themselves. */
  private async freeze(image: string, commands: Record<string, string>, tag: string): Promise<void> {
    const lines = [`FROM ${image}`];
    for (const [variable, command] of Object.entries(commands)) {
      const asked = ['run', '--rm', '--network', 'none', '--entrypoint', 'sh', image, '-c', command];
      lines.push(`ENV ${variable}=${await this.docker.run(asked)}`);
    }
    await this.docker.run(['build', '--quiet', '--tag', tag, '-'], { input: lines.join('\n') });
  }

  private async dockerfile(
    name: string,
    from: string,
    dockerfile: string,
    args: Record<string, string> = {},
  ): Promise<string> {
    const context = join(__dirname, dirname(dockerfile));
    const tag = `lab/${name}:${hash([from, basename(dockerfile), JSON.stringify(args), ...contents(context)])}`;
    const given = Object.entries({ BASE: from, ...args }).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
    const build = [
      'build',
      '--quiet',
      '--network',
      'host',
      '--tag',
      tag,
      '--file',
      join(__dirname, dockerfile),
      ...given,
    ];
    await this.unlessThere(tag, () => this.docker.run([...build, context], { timeoutMs: 900_000 }));
    return tag;
  }

  private async unlessThere(tag: string, make: () => Promise<unknown>): Promise<void> {
    if (await this.docker.inspect('image', tag)) return;
    const started = Date.now();
    await make();
    this.options.made(tag);
    this.options.say(`image ${tag}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
}

function isBase(name: BaseName | ImageName): name is BaseName {
  return name in BASE_IMAGES;
}

function repository(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Names and contents of the files of a build context. */
function contents(folder: string): string[] {
  const files = readdirSync(folder).sort();
  return files.flatMap((file) => [file, readFileSync(join(folder, file), 'utf8')]);
}

function hash(parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
}
