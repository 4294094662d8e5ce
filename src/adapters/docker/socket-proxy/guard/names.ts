/** What a name says of a container: whose it is, and what diun-pilot uses it for. `plain`: the name is the operator's. */
export type Role = 'plain' | 'old' | 'new' | 'check' | 'kept' | 'backup' | 'restore' | 'drill' | 'rehearsal';

// As src/containers/artifact-names.ts makes them, which an adapter cannot import; a test compares the two.
const OURS = /^(.+)\.diun-pilot-(old|new|check|kept|backup|restore|drill|rehearsal)-[0-9a-z]{10}$/;
const CANNOT_START = /^(.+)\.cannot-start-[0-9a-f]{12}$/;

/** `base`: the name without what diun-pilot appends. Containers of one base are one family. */
export function readName(name: string): { base: string; role: Role } {
  const bare = name.replace(/^\//, '');
  const [, ours, role] = OURS.exec(bare) ?? [];
  if (ours !== undefined) return { base: ours, role: role as Role };
  return { base: CANNOT_START.exec(bare)?.[1] ?? bare, role: 'plain' };
}

/** The name that Compose means a container to have: it makes one that replaces another as `ID_NAME`. Null: it has another form. */
export function meantByCompose(name: string): string | null {
  return /^[0-9a-f]{12}_(.+)$/.exec(name.replace(/^\//, ''))?.[1] ?? null;
}
