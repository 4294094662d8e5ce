/**
 * Every call that diun-pilot makes to the engine, and what for. `Call` (wire.ts) takes no other: a new one is added here first,
 * and by that to the socket proxy, which passes these on and nothing else, and to docs/engine-calls.md, which a test compares.
 */
export const ENGINE_CALLS = [
  'GET /_ping',
  'GET /version',
  'GET /events',
  'GET /containers/json',
  'GET /containers/{id}/json',
  'GET /containers/{id}/logs',
  'GET /containers/{id}/changes',
  'HEAD /containers/{id}/archive',
  'GET /containers/{id}/archive',
  'PUT /containers/{id}/archive',
  'POST /containers/create',
  'POST /containers/{id}/rename',
  'POST /containers/{id}/update',
  'POST /containers/{id}/start',
  'POST /containers/{id}/stop',
  'POST /containers/{id}/restart',
  'POST /containers/{id}/wait',
  'POST /containers/{id}/exec',
  'DELETE /containers/{id}',
  'POST /exec/{id}/start',
  'GET /exec/{id}/json',
  'GET /images/json',
  'GET /images/{name}/json',
  'POST /images/{name}/tag',
  'DELETE /images/{name}',
  'POST /images/create',
  'GET /distribution/{name}/json',
  'GET /networks/{id}',
  'POST /networks/{id}/connect',
  'GET /info',
  'GET /nodes',
  'GET /services',
  'GET /services/{id}',
  'GET /tasks',
  'POST /services/{id}/update',
] as const;

/**
 * Query parameters of the calls that change something: each takes these and no other, since a parameter may turn a call into
 * another one (`fromSrc` of `/images/create` imports any archive as an image). A call that is not here takes none.
 */
export const CALL_PARAMETERS = {
  'PUT /containers/{id}/archive': ['path'],
  'POST /containers/create': ['name', 'platform'],
  'POST /containers/{id}/rename': ['name'],
  'POST /containers/{id}/stop': ['t'],
  'POST /containers/{id}/restart': ['t'],
  'DELETE /containers/{id}': ['v', 'force'],
  'POST /images/{name}/tag': ['repo', 'tag'],
  'POST /images/create': ['fromImage', 'tag', 'platform'],
  'POST /services/{id}/update': ['version', 'rollback', 'registryAuthFrom'],
} as const satisfies { [Call in EngineCallLine]?: readonly string[] };

type EngineCallLine = (typeof ENGINE_CALLS)[number];

/** What Diun asks for (its pkg/docker: version, list, inspect of images), of which nothing changes or reads a container. */
export const WATCHER_CALLS = [
  'GET /_ping',
  'GET /version',
  'GET /containers/json',
  'GET /images/{name}/json',
] as const satisfies readonly (typeof ENGINE_CALLS)[number][];

/** `/containers/{id}/json` as the type of what is filled in. */
type Filled<Path extends string> = Path extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${Filled<After>}`
  : Path;

type Parameter<Line> = Line extends `GET ${string}`
  ? string
  : Line extends keyof typeof CALL_PARAMETERS
    ? (typeof CALL_PARAMETERS)[Line][number]
    : never;

type Listed<Line> = Line extends `${infer Method} ${infer Path}`
  ? { method: Method; path: Filled<Path>; query?: { [Name in Parameter<Line>]?: string | undefined } }
  : never;

export type EngineCall = Listed<EngineCallLine>;
