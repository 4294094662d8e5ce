import { canaryProbe, whyNoHandover } from '../../../src/domain/handover';
import type { ContainerInspect, Mount } from '../../../src/domain/engine-inspect';

type Looked = Pick<ContainerInspect, 'Id' | 'Config' | 'HostConfig' | 'Mounts' | 'NetworkSettings'>;

const STATELESS = { backup: null, database: false };

function container(change: Partial<Looked> = {}, host: Partial<Looked['HostConfig']> = {}): Looked {
  return {
    Id: 'f00d'.repeat(16),
    Config: { Image: 'nginx:1.27' },
    HostConfig: { NetworkMode: `container:${'e'.repeat(64)}`, AutoRemove: false, PortBindings: {}, ...host },
    Mounts: [],
    NetworkSettings: { Networks: {} },
    ...change,
  };
}

function mount(RW: boolean, Type = 'bind'): Mount {
  return { Type, Source: '/srv', Destination: '/etc/nginx/conf.d', Mode: '', RW };
}

describe('can be handed over', () => {
  it.each<[string, Looked]>([
    ['lives in the network of another', container()],
    ['lives in the network of the host', container({}, { NetworkMode: 'host' })],
    ['has networks of its own and publishes nothing', container({}, { NetworkMode: 'front' })],
    ['mounts read-only, or memory', container({ Mounts: [mount(false), mount(true, 'tmpfs')] })],
  ])('what %s', (_, looked) => {
    expect(whyNoHandover(looked, STATELESS)).toBeNull();
  });
});

describe('cannot be handed over', () => {
  const bindings = { PortBindings: { '80/tcp': [{ HostPort: '80' }] } };
  const fixed = { Networks: { front: { IPAMConfig: { IPv4Address: '172.30.0.9' } } } };
  it.each<[string, Looked, typeof STATELESS, RegExp]>([
    ['publishes ports itself', container({}, { NetworkMode: 'front', ...bindings }), STATELESS, /service:edge/],
    ['publishes all ports', container({}, { NetworkMode: 'front', PublishAllPorts: true }), STATELESS, /same ports/],
    [
      'has a MAC address of the operator on its second network',
      container(
        {
          NetworkSettings: {
            Networks: { front: {}, back: { MacAddress: '02:aa:bb:cc:dd:09', IPAddress: '10.0.0.2' } },
          },
        },
        { NetworkMode: 'front' },
      ),
      STATELESS,
      /same MAC address.*generated it.*service:edge/,
    ],
    [
      'has a fixed address',
      container({ NetworkSettings: fixed }, { NetworkMode: 'front' }),
      STATELESS,
      /same fixed address/,
    ],
    ['writes to a mount', container({ Mounts: [mount(true)] }), STATELESS, /\/etc\/nginx\/conf\.d .*:ro/],
    ['is a database', container(), { ...STATELESS, database: true }, /database/],
  ])('what %s', (_, looked, is, why) => {
    expect(whyNoHandover(looked, is)).toMatch(why);
  });

  it('what belongs to a backup set', () => {
    expect(whyNoHandover(container(), { ...STATELESS, backup: { kind: 'postgres' } })).toContain('backup.kind');
  });
});

describe('the question to the new one while the old one still serves', () => {
  const http = { kind: 'http', port: 80, path: '/' } as const;

  it('is not asked over a port that either may answer', () => {
    expect(canaryProbe(http, container())).toEqual({ kind: 'docker' });
    expect(canaryProbe({ kind: 'tcp', port: 80 }, container({}, { NetworkMode: 'host' }))).toEqual({ kind: 'docker' });
  });

  it('is the probe itself where it is asked of the new one alone', () => {
    expect(canaryProbe({ kind: 'nginx' }, container())).toEqual({ kind: 'nginx' });
    expect(canaryProbe(http, container({}, { NetworkMode: 'front' }))).toEqual(http);
  });
});
