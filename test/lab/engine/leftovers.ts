import type { DockerCli } from './docker-cli';

/** How the lab knows its own objects on an engine that others use too. */
export interface Marks {
  /** Label of whatever the lab starts without Compose: `diun-pilot.lab=ID`; null when only one project is meant. */
  label: string | null;
  /** Every compose project of the lab begins so. */
  projectPrefix: string;
  /** Addresses (`127.0.0.1:PORT`) that this lab's registries have or had. */
  registries: string[];
}

/**
 * Removes containers, volumes and networks of the lab, and images pulled from its registries; touches nothing else.
 * Containers are known by their image too: diun-pilot makes some of its own.
 */
export async function removeLeftovers(docker: DockerCli, marks: Marks): Promise<void> {
  const containers = await ownContainers(docker, marks);
  const volumes = new Set([...(await volumesOf(docker, containers)), ...(await own(docker, 'volume', marks))]);
  if (containers.length > 0) await docker.run(['container', 'rm', '--force', '--volumes', ...containers]);
  if (volumes.size > 0) await docker.run(['volume', 'rm', '--force', ...volumes]);
  const networks = await own(docker, 'network', marks);
  if (networks.length > 0) await docker.run(['network', 'rm', ...networks]);
  const images = await imagesFrom(docker, marks.registries);
  if (images.length > 0) await docker.run(['image', 'rm', '--force', ...images]);
}

async function ownContainers(docker: DockerCli, marks: Marks): Promise<string[]> {
  const ids = await docker.lines(['ps', '--all', '--quiet', '--no-trunc']);
  if (ids.length === 0) return [];
  // By inspect, since `ps` shows an id in place of the image once its tag moved; others' containers may vanish meanwhile.
  const label = (name: string) => `{{index .Config.Labels "${name}"}}`;
  const format = `{{.Id}}\t{{.Config.Image}}\t${label('com.docker.compose.project')}\t${label('diun-pilot.lab')}`;
  const inspected = await docker.attempt(['container', 'inspect', '--format', format, ...ids]);
  const isOwn = ([, image = '', project = '', lab = '']: string[]) =>
    marks.registries.some((registry) => image.startsWith(`${registry}/`)) ||
    project.startsWith(marks.projectPrefix) ||
    `diun-pilot.lab=${lab}` === marks.label;
  const rows = inspected.stdout.split('\n').map((line) => line.split('\t'));
  return rows.filter(isOwn).map(([id]) => id ?? '');
}

/** An anonymous volume handed on from container to container belongs to none of them in Docker's eyes. */
async function volumesOf(docker: DockerCli, containers: string[]): Promise<string[]> {
  if (containers.length === 0) return [];
  const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}';
  return docker.lines(['container', 'inspect', '--format', format, ...containers]);
}

async function own(docker: DockerCli, kind: 'volume' | 'network', marks: Marks): Promise<string[]> {
  const name = kind === 'volume' ? '{{.Name}}' : '{{.ID}}';
  const format = `${name}\t{{.Label "com.docker.compose.project"}}\t{{.Label "diun-pilot.lab"}}`;
  const rows = (await docker.lines([kind, 'ls', '--format', format])).map((line) => line.split('\t'));
  const isOwn = ([, project = '', lab = '']: string[]) =>
    project.startsWith(marks.projectPrefix) || `diun-pilot.lab=${lab}` === marks.label;
  return rows.filter(isOwn).map(([id]) => id ?? '');
}

async function imagesFrom(docker: DockerCli, registries: string[]): Promise<string[]> {
  const format = '{{.Repository}}\t{{.Tag}}\t{{.Digest}}';
  const rows = (await docker.lines(['image', 'ls', '--digests', '--format', format])).map((line) => line.split('\t'));
  const names = rows
    .filter(([repository = '']) => registries.some((registry) => repository.startsWith(`${registry}/`)))
    .flatMap(([repository, tag, digest]) => [
      ...(tag && tag !== '<none>' ? [`${repository}:${tag}`] : []),
      ...(digest && digest !== '<none>' ? [`${repository}@${digest}`] : []),
    ]);
  return [...new Set(names)];
}
