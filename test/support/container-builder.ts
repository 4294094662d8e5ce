import type { Container } from '../../src/domain/container';
import type { ContainerLabels } from '../../src/domain/labels/container-labels';
import { readLabels } from '../../src/domain/labels/read-labels';

/** A digest that is easy to recognise: `digest('1')` is `sha256:111…`. */
export function digest(hexDigit: string): string {
  return `sha256:${hexDigit.repeat(64)}`;
}

/** A watched, running nginx of a compose project; its labels are read as the product reads them. */
export function aContainer(
  fields: Partial<Omit<Container, 'labels'>> & {
    labels?: Record<string, string>;
    read?: Partial<ContainerLabels>;
  } = {},
): Container {
  const { labels = {}, read = {}, ...rest } = fields;
  return {
    id: 'c'.repeat(64),
    name: 'web',
    reference: 'nginx:1.27.3',
    imageId: digest('0'),
    repoDigests: [`nginx@${digest('a')}`],
    project: 'site',
    service: 'web',
    composeRun: false,
    dependsOn: [],
    restartsWith: [],
    composeFiles: '/srv/site/docker-compose.yml',
    labels: { ...readLabels({ 'diun.enable': 'true', ...labels }), ...read },
    mounts: [],
    dataPaths: [],
    healthcheck: false,
    application: 'nginx',
    running: true,
    status: 'running',
    swarmService: null,
    autoRemove: false,
    database: false,
    nginx: false,
    self: false,
    engineDoor: false,
    pilot: null,
    ...rest,
  };
}
