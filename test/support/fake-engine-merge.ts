import { posix } from 'node:path';
import type { ContainerConfig, Healthcheck, ImageConfig } from '../../src/domain/engine-inspect';

/** The engine's own merge of an image into a create request (moby, daemon/commit.go `merge`, and the reset of `[""]`). */
export function mergeImage(asked: ContainerConfig, image: ImageConfig): ContainerConfig {
  const command = mergeCommand(asked, image);
  return {
    ...asked,
    ...command,
    User: asked.User || image.User || '',
    WorkingDir: cleaned(asked.WorkingDir || image.WorkingDir || ''),
    StopSignal: asked.StopSignal || image.StopSignal,
    Env: [...(asked.Env ?? []), ...(image.Env ?? []).filter((line) => !hasVariable(asked.Env ?? [], line))],
    Labels: { ...image.Labels, ...asked.Labels },
    Volumes: merged(asked.Volumes, image.Volumes),
    ExposedPorts: merged(asked.ExposedPorts, image.ExposedPorts),
    Healthcheck: mergeHealthcheck(asked.Healthcheck, image.Healthcheck),
  };
}

/** moby, container.SetupWorkingDirectory. */
function cleaned(folder: string): string {
  return folder === '' ? '' : posix.resolve('/', folder);
}

function mergeCommand(asked: ContainerConfig, image: ImageConfig): Pick<ContainerConfig, 'Cmd' | 'Entrypoint'> {
  const entrypoint = asked.Entrypoint ?? [];
  if (entrypoint.length > 0) {
    return { Entrypoint: entrypoint.length === 1 && entrypoint[0] === '' ? null : entrypoint, Cmd: asked.Cmd ?? null };
  }
  const cmd = asked.Cmd && asked.Cmd.length > 0 ? asked.Cmd : (image.Cmd ?? null);
  return { Entrypoint: image.Entrypoint ?? null, Cmd: cmd };
}

function hasVariable(env: string[], line: string): boolean {
  const name = line.split('=')[0];
  return env.some((other) => other.split('=')[0] === name);
}

function merged(
  asked: Record<string, object> | null | undefined,
  image: Record<string, object> | null | undefined,
): Record<string, object> | null {
  const all = { ...image, ...asked };
  return Object.keys(all).length === 0 ? null : all;
}

function mergeHealthcheck(asked?: Healthcheck | null, image?: Healthcheck | null): Healthcheck | null {
  if (!asked) return image ?? null;
  return {
    Test: asked.Test?.length ? asked.Test : image?.Test,
    Interval: asked.Interval || image?.Interval,
    Timeout: asked.Timeout || image?.Timeout,
    StartPeriod: asked.StartPeriod || image?.StartPeriod,
    StartInterval: asked.StartInterval || image?.StartInterval,
    Retries: asked.Retries || image?.Retries,
  };
}
