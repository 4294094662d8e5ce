import type { Failure } from '../errors';

/** runc's words for a program that the image should have brought; a mount or a device that fails says something else. */
const IMAGE_CANNOT_START =
  /unable to start container process: (?:error during container init: )?exec|starting container process caused: exec|executable file not found|exec format error|no command specified/i;
/** What makes any image unhealthy. */
const NOT_OF_THE_IMAGE = /no space left on device|disk quota exceeded|removed from outside/i;

/**
 * The one place that decides whether a failure counts against the digest: only what the image itself did. Never counted:
 * a refused re-creation, a configuration that the old container refuses too, ports, networks, `volumes_from`, a full
 * disk, the engine, the registry, another container.
 */
export function isFaultOfImage({ code, message }: Failure): boolean {
  if (code === 'unhealthy') return !NOT_OF_THE_IMAGE.test(message);
  if (code === 'recreate_failed') return IMAGE_CANNOT_START.test(message);
  return code === 'preflight_failed' || code === 'data_changed' || code === 'signature_invalid';
}
