import type { DockerCli } from '../../lab/engine/docker-cli';
import type { Situation } from './situations';

/** Networks, volumes and the container that the situations refer to. */
export async function openStage(docker: DockerCli, prefix: string, image: string): Promise<void> {
  await closeStage(docker, prefix);
  await docker.run(['network', 'create', '--subnet', '10.231.101.0/24', '--label', prefix, `${prefix}-front`]);
  await docker.run(['network', 'create', '--subnet', '10.231.102.0/24', '--label', prefix, `${prefix}-back`]);
  const other = [
    '--name',
    `${prefix}-other`,
    '--label',
    prefix,
    '--volume',
    '/shared',
    '--volume',
    '/etc/hostname:/their-bind',
  ];
  await docker.run(['run', '--detach', ...other, image]);
  await docker.run(['network', 'connect', `${prefix}-back`, `${prefix}-other`]);
}

/** Starts the container of a situation; answers its name. */
export async function runSituation(
  docker: DockerCli,
  prefix: string,
  image: string,
  situation: Situation,
): Promise<string> {
  const name = `${prefix}-${situation.name}`;
  await docker.run([
    'create',
    '--name',
    name,
    '--label',
    prefix,
    ...situation.options,
    image,
    ...(situation.command ?? []),
  ]);
  for (const { network, options } of situation.connect ?? []) {
    await docker.run(['network', 'connect', ...options, network, name]);
  }
  await docker.run(['start', name]);
  return name;
}

export async function removeContainers(docker: DockerCli, filter: string): Promise<void> {
  const ids = await docker.lines(['ps', '--all', '--quiet', '--filter', filter]);
  if (ids.length > 0) await docker.attempt(['rm', '--force', '--volumes', ...ids]);
}

/** Removes all that the stage and its situations made, also after a run that was cut short. */
export async function closeStage(docker: DockerCli, prefix: string): Promise<void> {
  await removeContainers(docker, `label=${prefix}`);
  const volumes = await docker.lines(['volume', 'ls', '--quiet', '--filter', `name=${prefix}-`]);
  if (volumes.length > 0) await docker.run(['volume', 'rm', ...volumes]);
  const networks = await docker.lines(['network', 'ls', '--quiet', '--filter', `label=${prefix}`]);
  if (networks.length > 0) await docker.run(['network', 'rm', ...networks]);
}
