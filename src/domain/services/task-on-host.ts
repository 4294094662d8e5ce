import { shellWord } from '../text/shell';

/** Stands for the container of a service's task in a command for a shell on the host: only the engine knows its name. */
export function taskOnHost(service: string): string {
  return `$(docker ps -q --filter ${shellWord(`label=com.docker.swarm.service.name=${service}`)})`;
}
