import {
  bytesNeeded,
  carriedSettings,
  initdbOptions,
  obstaclesTo,
  type Cluster,
} from '../../../src/updates/major/cluster';

const MIB = 1024 * 1024;
const CLUSTER: Cluster = {
  ...{ name: 'db', major: 15, login: { user: 'app' }, superuser: true, encoding: 'UTF8', collate: 'de_DE.utf8' },
  ...{ ctype: 'de_DE.utf8', provider: 'c', locale: null, rules: null, categories: { lc_time: 'C' }, checksums: false },
  ...{ walSegment: 16 * MIB, groupAccess: false, directory: '/data', hbaFile: '/data/pg_hba.conf' },
  ...{ identFile: '/data/pg_ident.conf', settings: [], bytes: 100 * MIB, mostWal: 1024 * MIB, isStandby: false },
  ...{ tablespaces: [], closed: [], slots: [], prepared: [], subscriptions: 0, inTemplate: [] },
};

describe('the options of initdb', () => {
  test('make a cluster of the same superuser, encoding, locale and segment size, that no one in a network can reach', () => {
    const options = initdbOptions(CLUSTER, 17);
    expect(options).toEqual(
      expect.arrayContaining([
        ...['--username=app', '--encoding=UTF8', '--lc-collate=de_DE.utf8', '--lc-ctype=de_DE.utf8', '--lc-time=C'],
        ...['--locale-provider=libc', '--wal-segsize=16', '--auth-local=trust', '--auth-host=reject'],
      ]),
    );
    expect(options.join(' ')).not.toMatch(/checksums|icu|builtin|group/);
  });

  test('say what is on by default in one major only', () => {
    expect(initdbOptions(CLUSTER, 14).join(' ')).not.toContain('locale-provider');
    expect(initdbOptions(CLUSTER, 18)).toContain('--no-data-checksums');
    expect(initdbOptions({ ...CLUSTER, checksums: true }, 18)).toContain('--data-checksums');
    const icu = initdbOptions({ ...CLUSTER, provider: 'i', locale: 'de', rules: '&a < g', groupAccess: true }, 17);
    expect(icu).toEqual(
      expect.arrayContaining([
        '--locale-provider=icu',
        '--icu-locale=de',
        '--icu-rules=&a < g',
        '--allow-group-access',
      ]),
    );
    expect(initdbOptions({ ...CLUSTER, provider: 'b', locale: 'C.UTF-8' }, 17)).toContain('--builtin-locale=C.UTF-8');
  });
});

test('settings of the configuration files are carried over as they are, but for where the old data is', () => {
  const settings = [
    { name: 'work_mem', value: '8MB' },
    { name: 'data_directory', value: '/elsewhere' },
    { name: 'log_line_prefix', value: "it's \\ %m\n" },
  ];
  expect(
    carriedSettings({ ...CLUSTER, settings })
      .trim()
      .split('\n'),
  ).toEqual(['# As configured on PostgreSQL 15', "work_mem = '8MB'", "log_line_prefix = 'it''s \\\\ %m\\n'"]);
});

test('the space that is needed: the data once more, and at most as much of the log', () => {
  expect(bytesNeeded(CLUSTER)).toBe((100 + 100 + 64) * MIB);
  expect(bytesNeeded({ ...CLUSTER, bytes: 5000 * MIB })).toBe((5000 + 1024 + 64) * MIB);
});

test('nothing is in the way of an ordinary server', () => expect(obstaclesTo(CLUSTER)).toEqual([]));

test.each<[Partial<Cluster>, string]>([
  [{ superuser: false }, 'ALTER ROLE "app" SUPERUSER'],
  [{ isStandby: true }, 'is a standby'],
  [{ tablespaces: ['fast'] }, 'tablespaces in folders of their own (fast)'],
  [{ closed: ['closed'] }, 'accept no connections: closed'],
  [{ inTemplate: ['extension hstore'] }, 'template1, and it has objects of its own: extension hstore'],
  [{ slots: ['standby_1'] }, 'replication slots (standby_1)'],
  [{ subscriptions: 1 }, 'has subscriptions'],
  [{ prepared: ['tx'] }, 'prepared transactions (tx)'],
  [{ hbaFile: '/etc/pg_hba.conf' }, '/etc/pg_hba.conf is outside of the data directory'],
])('%j is in the way, and is said with its remedy', (change, words) => {
  const found = obstaclesTo({ ...CLUSTER, ...change });
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(words);
});
