import { randomOf } from './random';
import type { Service } from './world';

const SHARE = 0.25;
/** Apart from the stream of the world, so that the others stay as they are. */
const APART = 0x7715;

/** In a share of the worlds the first service has a twin: of its image and tag, or of another tag of its repository. */
export function withTwin(seed: number, services: readonly Service[]): Service[] {
  const random = randomOf((seed ^ APART) * 31);
  const [first, ...others] = services;
  if (first === undefined || !random.chance(SHARE)) return [...services];
  const kept: Record<string, string> = random.chance(0.6) ? { 'update.keep-images': random.pick(['0', '1']) } : {};
  const chosen = random.pick(['web', 'shop']);
  const project = first.role === undefined ? chosen : projectOf(first);
  const spec = { ...first.spec, name: `${project}-twin-1`, image: random.pick([first.spec.image, otherTag(first)]) };
  const own = {
    'update.policy': random.pick(['automatic', 'manual']),
    'com.docker.compose.project': project,
    'com.docker.compose.service': 'twin',
  };
  const twin: Service = {
    ...first,
    spec: {
      ...spec,
      ...(spec.volumes && { volumes: { twin: '/data' } }),
      ...(spec.ports && { ports: { 8090: 80 } }),
      labels: { ...spec.labels, ...kept, ...own },
    },
  };
  return [{ ...first, spec: { ...first.spec, labels: { ...first.spec.labels, ...kept } } }, ...others, twin];
}

/** The tag of another service of the same repository, to which a container may be moved. */
export function otherTagOf(services: readonly Service[], at: number): string | undefined {
  const image = services[at]?.spec.image ?? '';
  return services.find(({ spec }) => spec.image !== image && repositoryOf(spec.image) === repositoryOf(image))?.spec
    .image;
}

export const repositoryOf = (reference: string): string => reference.replace(/:[^:]*$/, '');

const otherTag = ({ spec }: Service): string => `${repositoryOf(spec.image)}:2`;

const projectOf = ({ spec }: Service): string => spec.labels?.['com.docker.compose.project'] ?? '';
