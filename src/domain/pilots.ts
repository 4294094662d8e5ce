import type { Container, Pilot } from './container';
import type { ContainerInspect } from './engine-inspect';

const TITLE = 'org.opencontainers.image.title';
const DATA_DIR = '/data';
/** `serve` is the default command. */
const PROGRAM = /(?:^|\/)(?:main\.js|diun-pilot)$/;

/** What of diun-pilot runs in a container, by its image's label. */
export function pilotIn({ Config, Mounts }: Pick<ContainerInspect, 'Config' | 'Mounts'>): Pilot | null {
  if (Config.Labels?.[TITLE] !== 'diun-pilot') return null;
  const command = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])];
  const serves =
    command.some((word) => PROGRAM.test(word)) && [PROGRAM, /^serve$/].some((is) => is.test(command.at(-1) ?? ''));
  return { serves, data: Mounts.find(({ Destination }) => Destination === DATA_DIR)?.Source ?? null };
}

/**
 * Names of the containers in which another diun-pilot runs on this engine: both would act on the same watched containers.
 * One with the same data is this one, called by a command from a container of its own.
 */
export function otherPilots(containers: readonly Container[]): string[] {
  const own = containers.find(({ self }) => self)?.pilot?.data ?? null;
  return containers
    .filter(({ self, running, pilot }) => !self && running && pilot?.serves === true)
    .filter(({ pilot }) => own === null || pilot?.data !== own)
    .map(({ name }) => name);
}

export const ONE_PILOT =
  'it sees the same containers, and both would update, back up and renew them, each in the way of the other. Leave one for the whole engine, and stop the other: one serves any number of compose projects.';
