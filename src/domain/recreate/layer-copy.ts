import type { ContainerInspect, CreateRequest, ImageInspect } from '../engine-inspect';
import { ownPaths, type LayerChange } from './layer';
import { cleanPath } from './own-mounts';

/** The copy needs as much free space, while the new container already runs. */
export const MOST_KEPT_BYTES = 1024 ** 3;

/** How files of a container's own layer are copied into another container of the same image. */
export interface LayerCopy {
  /** Folders that the image does not have and that hold more than what is copied: made first, parents before children. */
  folders: string[];
  /** Files, and folders that hold nothing but files to copy: each is copied whole, in one archive. */
  roots: string[];
}

/**
 * The fewest archives that hold exactly `files`: a folder that was added to the layer is copied whole if all in it is to be
 * copied and nothing is mounted in it. Pure.
 */
export function layerCopy(
  files: readonly string[],
  changes: readonly LayerChange[],
  container: Pick<ContainerInspect, 'Mounts'>,
): LayerCopy {
  const added = new Set(changes.filter(({ kind }) => kind === 'added').map(({ path }) => cleanPath(path)));
  const wanted = new Set(files);
  const unwanted = ownPaths(changes, container).filter((path) => !wanted.has(path));
  const mixed = new Set(
    [...unwanted, ...container.Mounts.map(({ Destination }) => cleanPath(Destination))].flatMap((path) => [
      path,
      ...parentsOf(path),
    ]),
  );
  const isWhole = (folder: string): boolean => added.has(folder) && !mixed.has(folder);
  const roots = new Set(files.map((file) => parentsOf(file).find(isWhole) ?? file));
  const folders = new Set([...roots].flatMap(parentsOf).filter((folder) => added.has(folder)));
  return { folders: [...folders].sort(), roots: [...roots].sort() };
}

/**
 * A container that only holds files: of the old image, never started, with no network, port, volume or restart. Every label
 * of the image is blank, so that Compose and other tools do not take it for one of theirs; Diun is to leave it alone.
 */
export function holderRequest(
  old: Pick<ContainerInspect, 'HostConfig'>,
  image: ImageInspect,
  platform: string | undefined,
): CreateRequest {
  const labels = Object.keys(image.Config?.Labels ?? {}).map((label) => [label, ''] as const);
  const { UsernsMode } = old.HostConfig;
  return {
    body: {
      Image: image.Id,
      Entrypoint: ['true'],
      Cmd: [],
      Labels: { ...Object.fromEntries(labels), 'diun.enable': 'false' },
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        AutoRemove: false,
        NetworkMode: 'none',
        RestartPolicy: { Name: 'no' },
        // Else the engine makes an anonymous volume for each.
        Tmpfs: Object.fromEntries(Object.keys(image.Config?.Volumes ?? {}).map((path) => [path, ''])),
        ...(UsernsMode === undefined || UsernsMode === '' ? {} : { UsernsMode }),
      },
      NetworkingConfig: { EndpointsConfig: {} },
    },
    connect: [],
    ...(platform === undefined ? {} : { platform }),
  };
}

/** From the root on, without the root and the path itself. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
