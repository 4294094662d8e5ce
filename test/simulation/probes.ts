import { STATUS_MARK } from '../../src/domain/health/probe-commands';
import type { FakeContainer, FakeImage, Scripts } from '../support/fake-engine-types';
import { randomOf, type Random } from './random';
import type { Service } from './world';

const PROBE = 'update.probe';
const SHARE = 0.25;
/** Apart from the stream of the world, so that the others stay as they are. */
const APART = 0x9b0e;

const COMMAND = 'ask-app';
/** Port 8080, as /proc/net/tcp writes a socket that listens. */
const LISTENS = '0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1 0';

/** The probes of the worlds, with what each says of an image that it finds broken. */
const KINDS: Record<string, RegExp> = {
  [`exec:${COMMAND}`]: /ask-app exits 3: broken inside/,
  'http://:8080/ready': /GET :8080\/ready answers 500/,
  'tcp://:8080': /nothing accepts connections on port 8080/,
};

/** In a share of the worlds, services have a probe next to their HEALTHCHECK or without one; sometimes it fails from the first. */
export function withProbes(seed: number, services: readonly Service[]): Service[] {
  const random = randomOf((seed ^ APART) * 37);
  if (!random.chance(SHARE)) return [...services];
  return services.map((service) => (service.role === 'database' ? service : probed(random, service)));
}

function probed(random: Random, service: Service): Service {
  const labels = { [PROBE]: random.pick(Object.keys(KINDS)), 'update.probe.timeout': '20s' };
  const failsFirst = random.chance(0.25);
  return { ...service, failsFirst, spec: { ...service.spec, labels: { ...service.spec.labels, ...labels } } };
}

export function isProbed({ spec }: Service): boolean {
  return spec.labels?.[PROBE] !== undefined;
}

/** What the commands of the probes come to in an image. */
export function answersOfProbes(fails: boolean): Scripts {
  const status = `${STATUS_MARK}${fails ? 500 : 200}`;
  return {
    [COMMAND]: fails ? { exitCode: 3, stderr: 'broken inside' } : {},
    'curl *': { stdout: `\n${status}` },
    'grep -h *': fails ? { exitCode: 1 } : { stdout: LISTENS },
  };
}

/** Whether the probes find an image broken, in a container that has one. */
export function failsProbes({ spec }: FakeImage): boolean {
  const answer = spec.scripts?.[COMMAND];
  return typeof answer === 'object' && answer.exitCode === 3;
}

export function failsItsProbe({ image, inspect }: FakeContainer): boolean {
  return inspect.Config.Labels?.[PROBE] !== undefined && failsProbes(image);
}

/** Whether a text has what the probe of a service said. */
export function saysOfProbe({ spec }: Service, text: string): boolean {
  return KINDS[spec.labels?.[PROBE] ?? '']?.test(text) === true;
}
