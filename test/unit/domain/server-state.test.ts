import { compareStates, differencesText, stateText, type ServerState } from '../../../src/domain/data/server-state';

const STATE: ServerState = {
  major: 15,
  server: { 'role app': 'SUPERUSER LOGIN', 'membership of reader in readers': '' },
  databases: {
    app: {
      'extension pgcrypto': 'in schema public',
      'rows of table public.items': '120',
      'rows of table public.parts': '1',
      'position of sequence public.items_id_seq': '120 (used)',
      'grants on table public.items': 'app:INSERT, app:SELECT, reader:SELECT',
    },
    postgres: {},
  },
};

const changed = (change: (state: ServerState) => void): ServerState => {
  const state = structuredClone({ ...STATE, major: 17 });
  change(state);
  return state;
};
const app = (state: ServerState) => state.databases['app'] ?? {};

test('the same is no difference, on whatever major', () => {
  expect(compareStates(STATE, { ...STATE, major: 17 })).toEqual([]);
});

test.each<[string, (state: ServerState) => void, string]>([
  [
    'a row',
    (s) => (app(s)['rows of table public.items'] = '119'),
    'Database app: rows of table public.items: before 120, now 119.',
  ],
  ['a role', (s) => delete s.server['role app'], 'Role app is missing.'],
  ['a role too many', (s) => (s.server['role other'] = ''), 'Role other did not exist before.'],
  ['a database', (s) => delete s.databases['postgres'], 'Database postgres is missing.'],
  ['a database too many', (s) => (s.databases['more'] = {}), 'Database more did not exist before.'],
  ['an extension', (s) => delete app(s)['extension pgcrypto'], 'Database app: extension pgcrypto is missing.'],
  [
    'a grant',
    (s) => (app(s)['grants on table public.items'] = 'app:INSERT, app:SELECT'),
    'Database app: grants on table public.items: before app:INSERT, app:SELECT, reader:SELECT, now app:INSERT, app:SELECT.',
  ],
  [
    'the admin option of a membership',
    (s) => (s.server['membership of reader in readers'] = 'with admin option'),
    'Membership of reader in readers: before nothing, now with admin option.',
  ],
])('%s is named', (_what, change, sentence) => {
  expect(compareStates(STATE, changed(change))).toEqual([sentence]);
});

test('a privilege that only the new major knows is no difference; between two that know it, it is', () => {
  const after = changed(
    (s) => (app(s)['grants on table public.items'] = 'app:INSERT, app:MAINTAIN, app:SELECT, reader:SELECT'),
  );
  expect(compareStates(STATE, after)).toEqual([]);
  expect(compareStates({ ...STATE, major: 17 }, { ...after, major: 18 })).toHaveLength(1);
});

test('an endless list of differences is cut, with how many more there are', () => {
  const found = Array.from({ length: 25 }, (_, i) => `Role r${i} is missing.`);
  expect(differencesText(found)).toMatch(/Role r19 is missing\. And 5 more\.$/);
});

test('what was compared is counted for a person', () => {
  expect(stateText(STATE)).toBe('2 databases, 1 role, 1 extension, 121 rows in 2 tables, 1 sequence');
});
