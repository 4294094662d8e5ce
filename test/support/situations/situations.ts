/** One way in which an operator runs a container: what `docker run` is told between its options and the image. */
export interface Situation {
  /** Also the name of its recorded inspect result (test/fixtures/inspect/NAME.json). */
  name: string;
  options: string[];
  command?: string[];
  /** Further networks, joined after the creation; `docker network connect` options. */
  connect?: { network: string; options: string[] }[];
}

/** Names on the engine: every one begins with the prefix, so that runs beside each other do not meet. */
export function situations(prefix: string): Situation[] {
  const front = `${prefix}-front`;
  const back = `${prefix}-back`;
  const other = `${prefix}-other`;
  return [
    { name: 'bare', options: [] },
    { name: 'everything', options: everything(prefix), command: ['sleep', '500'] },
    {
      name: 'two-networks',
      options: ['--network', front, '--network-alias', 'web', '--network-alias', 'www', '--ip', '10.231.101.9'],
      connect: [{ network: back, options: ['--alias', 'api', '--ip', '10.231.102.9', '--link', `${other}:db`] }],
    },
    { name: 'bridge-and-network', options: [], connect: [{ network: back, options: [] }] },
    { name: 'mac-address', options: ['--network', front, '--mac-address', '02:aa:bb:cc:dd:01'] },
    { name: 'mac-address-on-bridge', options: ['--mac-address', '02:aa:bb:cc:dd:02'] },
    { name: 'host-network', options: ['--network', 'host'] },
    { name: 'no-network', options: ['--network', 'none', '--hostname', 'alone'] },
    { name: 'network-of-another', options: ['--network', `container:${other}`] },
    { name: 'host-namespaces', options: ['--pid', 'host', '--ipc', 'host', '--uts', 'host'] },
    { name: 'link', options: ['--link', `${other}:db`, '--link', other] },
    { name: 'anonymous-volumes', options: ['--volume', '/data', '--volume', '/logs/'] },
    { name: 'volume-over-declared', options: ['--volume', `${prefix}-cache:/cache:ro`] },
    { name: 'mounts', options: mounts(prefix) },
    { name: 'volumes-from', options: ['--volumes-from', `${other}:ro`, '--volume', '/own'] },
    { name: 'tmpfs', options: ['--tmpfs', '/cache:size=1m', '--read-only'] },
    { name: 'health-disabled', options: ['--no-healthcheck'] },
    { name: 'health-own-test', options: ['--health-cmd', 'test -e /etc'] },
    { name: 'health-own-times', options: ['--health-interval', '11s', '--health-start-period', '2s'] },
    { name: 'own-entrypoint', options: ['--entrypoint', 'sleep'], command: ['700'] },
    { name: 'own-entrypoint-without-command', options: ['--entrypoint', '/bin/sh', '--interactive'] },
    { name: 'entrypoint-taken-away', options: ['--entrypoint', ''], command: ['sleep', '800'] },
    { name: 'own-command', options: [], command: ['sleep', '900'] },
    { name: 'auto-remove', options: ['--rm'] },
    { name: 'privileged', options: ['--privileged', '--cgroupns', 'private'] },
    { name: 'publish-all', options: ['--publish-all'] },
    { name: 'terminal', options: ['--tty', '--interactive', '--label', 'own=1'] },
  ];
}

function everything(prefix: string): string[] {
  return [
    ...[
      '--env',
      'OWN=1',
      '--env',
      'KEPT=mine',
      '--env',
      'VERSION=1',
      '--env',
      'EMPTY=',
      '--label',
      'own=yes',
      '--label',
      'release=mine',
    ],
    ...['--publish', '127.0.0.1:45080:80', '--publish', '127.0.0.1:45081:8081/udp', '--expose', '9000'],
    ...['--volume', `${prefix}-data:/data`, '--volume', '/anonymous', '--volume', '/etc/hostname:/bound:ro'],
    ...['--tmpfs', '/scratch:size=1m', '--restart', 'on-failure:3', '--stop-timeout', '3', '--stop-signal', 'SIGQUIT'],
    ...['--hostname', 'own-host', '--domainname', 'example.test', '--user', '0:0', '--workdir', '/own', '--init'],
    ...['--dns', '10.0.0.53', '--dns-search', 'example.test', '--add-host', 'db:10.0.0.5', '--group-add', '100'],
    ...[
      '--cap-add',
      'NET_ADMIN',
      '--cap-drop',
      'MKNOD',
      '--security-opt',
      'no-new-privileges',
      '--device',
      '/dev/null:/dev/nothing:r',
    ],
    ...[
      '--ulimit',
      'nofile=1000:2000',
      '--ulimit',
      'nproc=500',
      '--memory',
      '64m',
      '--cpus',
      '0.5',
      '--pids-limit',
      '100',
    ],
    ...['--shm-size', '32m', '--oom-score-adj', '10', '--sysctl', 'net.core.somaxconn=512', '--log-opt', 'max-size=1m'],
    ...['--health-cmd', 'true', '--health-retries', '9', '--annotation', 'own.note=1'],
  ];
}

function mounts(prefix: string): string[] {
  return [
    ...['--mount', `type=volume,source=${prefix}-mounted,target=/mounted,volume-nocopy,readonly`],
    ...['--mount', 'type=volume,target=/unnamed/'],
    ...['--mount', 'type=bind,source=/etc,target=/host-etc,readonly,bind-propagation=private'],
    ...['--mount', 'type=tmpfs,target=/fast,tmpfs-size=1048576'],
  ];
}
