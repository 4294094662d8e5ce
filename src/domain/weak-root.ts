import type { HostConfig } from './engine-inspect';

/** Whether root of a container may not read or remove the files of every owner there. */
export function hasWeakRoot({ CapDrop }: Pick<HostConfig, 'CapDrop'>): boolean {
  return (CapDrop ?? []).some((name) => /^(?:CAP_)?(?:ALL|DAC_\w+)$/i.test(name));
}
