import type { ContainerConfig, ImageConfig } from '../engine-inspect';
import { environmentOf } from '../recreate/own-config';

/** Of the official image and those built on it: makes the configuration from its templates, and nothing else. */
const OFFICIAL = '/docker-entrypoint.sh';

/**
 * The command of a one-off container that runs `nginx -t` and nothing else. Any entrypoint but the official one is left out: it
 * may ignore its arguments and start a server, or change data. `own`: the operator's entrypoint; undefined: that of the image.
 */
export function configTest(
  own: ContainerConfig['Entrypoint'],
  image: ImageConfig | null,
): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const entrypoint = own ?? image?.Entrypoint ?? [];
  const isOfficial =
    environmentOf(image?.Env).has('NGINX_VERSION') && entrypoint.length === 1 && entrypoint[0] === OFFICIAL;
  return isOfficial ? { Entrypoint: [OFFICIAL], Cmd: ['nginx', '-t'] } : { Entrypoint: ['nginx'], Cmd: ['-t'] };
}
