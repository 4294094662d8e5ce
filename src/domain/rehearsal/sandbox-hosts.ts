import type { ContainerInspect } from '../engine-inspect';

/** What can be a name of a host; a name with other characters is reachable by no program. */
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/;

/** Under which names other containers reach a container: its own, its service, its host name and its aliases. Pure. */
export function namesOf(
  container: Pick<ContainerInspect, 'Id' | 'Name' | 'Config' | 'NetworkSettings'>,
  service: string | null,
): string[] {
  const aliases = Object.values(container.NetworkSettings.Networks).flatMap(({ Aliases }) => Aliases ?? []);
  const { Hostname, Domainname } = container.Config;
  const full = Hostname && Domainname ? [`${Hostname}.${Domainname}`] : [];
  const names = [container.Name.replace(/^\//, ''), service, Hostname, ...full, ...aliases];
  const ofEngine = container.Id.slice(0, 12);
  return [...new Set(names)].filter((name): name is string => !!name && name !== ofEngine && HOST_NAME.test(name));
}

/** The loopback address of the nth database server of a trial, from 0: each has one of its own, so that ports never clash. */
export function loopbackOf(number: number): string {
  return `127.0.0.${number + 1}`;
}
