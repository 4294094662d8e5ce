import type { DockerCli } from '../../lab/engine/docker-cli';

/** Two releases of one image that differ in everything an image can say, and a plain one that says nothing. */
export interface SituationImages {
  old: string;
  new: string;
}

const OLD = [
  'ENV VERSION=1 REMOVED=yes KEPT=image',
  'LABEL release=1 removed=yes diun.enable=true',
  'EXPOSE 80 8081',
  'VOLUME /cache',
  'WORKDIR /srv/one',
  'USER root',
  'STOPSIGNAL SIGINT',
  'ENTRYPOINT ["/usr/bin/env", "RELEASE=1"]',
  'CMD ["sleep", "1000"]',
  'HEALTHCHECK --interval=5s --timeout=3s --retries=2 CMD ["true"]',
];

const NEW = [
  'ENV VERSION=2 ADDED=yes KEPT=image',
  'LABEL release=2 added=yes',
  'EXPOSE 80 8082',
  'VOLUME /cache',
  'WORKDIR /srv/two',
  'USER 0',
  'STOPSIGNAL SIGTERM',
  'ENTRYPOINT ["/usr/bin/env", "RELEASE=2"]',
  'CMD ["sleep", "2000"]',
  'HEALTHCHECK --interval=7s --timeout=4s --retries=4 CMD ["test", "-d", "/"]',
];

/** Built on any image that has a shell; only metadata, so it takes a second. */
export async function buildSituationImages(docker: DockerCli, base: string, prefix: string): Promise<SituationImages> {
  const images = { old: `${prefix}/release:1`, new: `${prefix}/release:2` };
  await build(docker, images.old, base, OLD);
  await build(docker, images.new, base, NEW);
  return images;
}

async function build(docker: DockerCli, tag: string, base: string, lines: string[]): Promise<void> {
  await docker.run(['build', '--quiet', '--tag', tag, '-'], { input: [`FROM ${base}`, ...lines, ''].join('\n') });
}
