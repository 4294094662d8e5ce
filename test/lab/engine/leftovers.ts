import type { DockerCli } from './docker-cli';
import { isMarked, MARKING_LABELS, type Marks } from './marks';

/**
 * Removes containers, volumes and networks of the lab, images that bear its name, and those pulled from its registries
 * (`127.0.0.1:PORT`); touches nothing else.
 */
export async function removeLeftovers(docker: DockerCli, marks: Marks, registries: string[] = []): Promise<void> {
  const containers = await ownContainers(docker, marks);
  const volumes = new Set([...(await volumesOf(docker, containers)), ...(await own(docker, 'volume', marks))]);
  if (containers.length > 0) await docker.run(['container', 'rm', '--force', '--volumes', ...containers]);
  if (volumes.size > 0) await docker.run(['volume', 'rm', '--force', ...volumes]);
  const networks = await own(docker, 'network', marks);
  if (networks.length > 0) await docker.run(['network', 'rm', ...networks]);
  const images = await imagesOf(docker, [marks.projectPrefix, ...registries.map((address) => `${address}/`)]);
  if (images.length > 0) await docker.run(['image', 'rm', '--force', ...images]);
}

async function ownContainers(docker: DockerCli, marks: Marks): Promise<string[]> {
  const ids = await docker.lines(['ps', '--all', '--quiet', '--no-trunc']);
  if (ids.length === 0) return [];
  // By inspect, since `ps` knows a container by the names of links too; others' containers may vanish meanwhile.
  const label = (name: string) => `{{index .Config.Labels "${name}"}}`;
  const format = `{{.Id}}\t{{slice .Name 1}}\t${label(MARKING_LABELS.project)}\t${label(MARKING_LABELS.lab)}`;
  const inspected = await docker.attempt(['container', 'inspect', '--format', format, ...ids]);
  return markedOf(inspected.stdout.split('\n'), marks);
}

/** Of lines of id, name and labels, the ids of those that are marked. */
function markedOf(lines: string[], marks: Marks): string[] {
  const rows = lines.map((line) => line.split('\t'));
  return rows.flatMap(([id = '', name = '', project = '', lab = '']) =>
    isMarked(marks, { name, project, lab }) ? [id] : [],
  );
}

/** An anonymous volume handed on from container to container belongs to none of them in Docker's eyes. */
async function volumesOf(docker: DockerCli, containers: string[]): Promise<string[]> {
  if (containers.length === 0) return [];
  const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}';
  return docker.lines(['container', 'inspect', '--format', format, ...containers]);
}

async function own(docker: DockerCli, kind: 'volume' | 'network', marks: Marks): Promise<string[]> {
  const id = kind === 'volume' ? '{{.Name}}' : '{{.ID}}';
  const labels = [MARKING_LABELS.project, MARKING_LABELS.lab].map((name) => `{{.Label "${name}"}}`);
  return markedOf(await docker.lines([kind, 'ls', '--format', [id, '{{.Name}}', ...labels].join('\t')]), marks);
}

async function imagesOf(docker: DockerCli, prefixes: string[]): Promise<string[]> {
  const format = '{{.Repository}}\t{{.Tag}}\t{{.Digest}}';
  const rows = (await docker.lines(['image', 'ls', '--digests', '--format', format])).map((line) => line.split('\t'));
  const names = rows
    .filter(([repository = '']) => prefixes.some((prefix) => repository.startsWith(prefix)))
    .flatMap(([repository, tag, digest]) => [
      ...(tag && tag !== '<none>' ? [`${repository}:${tag}`] : []),
      ...(digest && digest !== '<none>' ? [`${repository}@${digest}`] : []),
    ]);
  return [...new Set(names)];
}
