// Who may import whom (docs/design.md). `npm run architecture` and test/architecture hold it.
// The rooms of the use cases, in the order in which they may import: left to right, never back.
const ROOMS = [
  'queue',
  'rollouts',
  'rehearsals',
  'updates',
  'decisions',
  'networks',
  'certificates',
  'restores',
  'backups',
  'services',
  'containers',
  'probes',
  'notifications',
  'diagnosis',
];
const USE_CASES = ROOMS.join('|');

const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed.map((path) => `^src/${path}`) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    layer('domain-is-pure', '^src/domain/', ['domain/']),
    layer('images-know-no-policy', '^src/domain/images/', ['domain/images/', 'domain/errors']),
    layer('lib-knows-nothing', '^src/lib/', ['lib/']),
    layer('ports-speak-domain', '^src/ports/', ['ports/', 'domain/']),
    layer('deps-name-ports', '^src/deps\\.ts$', ['ports/', 'domain/', 'lib/']),
    layer('config-reads-settings', '^src/config/', ['config/', 'domain/', 'lib/']),
    ...ROOMS.map((room, at) =>
      layer(`${room}-knows-rooms-to-its-right`, `^src/${room}/`, [
        `(${ROOMS.slice(at).join('|')})/`,
        'deps\\.ts',
        'ports/',
        'domain/',
        'lib/',
      ]),
    ),
    layer('edges-know-use-cases', '^src/(http|schedule)/', [
      `(http|schedule|${USE_CASES})/`,
      'deps\\.ts',
      'ports/',
      'domain/',
      'lib/',
      'config/',
    ]),
    layer('cli-starts-the-app', '^src/cli/', [
      `(cli|config|${USE_CASES})/`,
      'ports/',
      'domain/',
      'lib/',
      'app\\.ts',
      'http/server\\.ts',
    ]),
    {
      name: 'only-app-has-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/app\\.ts$' },
      to: { path: '^src/adapters\\.ts$' },
    },
    {
      name: 'adapters-stand-alone',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/', pathNot: ['^src/adapters/$1/', '^src/ports/', '^src/domain/', '^src/lib/'] },
    },
    {
      name: 'adapters-are-made-in-one-file',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/adapters\\.ts$', '^src/socket-proxy\\.ts$', '^src/adapters/'] },
      to: { path: '^src/adapters/' },
    },
    ...[
      ['dockerode', 'adapters/docker/'],
      ['better-sqlite3', 'adapters/sqlite/'],
      ['@aws-sdk/(client-s3|lib-storage)', 'adapters/storage-s3/'],
      ['@aws-sdk/client-sesv2', 'adapters/mail-ses/'],
      ['nodemailer', 'adapters/mail-(smtp|file|ses)/'],
      ['(express|helmet|express-rate-limit)', 'http/'],
      ['(winston)', 'lib/logger'],
      ['commander', 'cli/'],
      ['markdown-it', 'http/pages/release-notes/'],
      ['node-schedule', 'schedule/'],
      ['croner', 'lib/due-times'],
      ['raw-body', 'http/request/'],
      ['yaml', 'domain/compose/'],
      ['@sigstore', 'adapters/sigstore/'],
    ].map(([pkg, room]) => ({
      name: `${pkg.replace(/[^a-z0-9]+/g, '-')}-in-one-room`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/${room}` },
      to: { path: `node_modules/(@types/)?${pkg}(/|$)` },
    })),
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
