/** Who is let in: by a header, by a form of our own page (with the password), or by the address itself. */
export type Admits = 'anyone' | 'webhook' | 'api' | 'form' | 'link';

/** One row for each route of the app and method of it (test/http/six-flaws.long.test.ts compares them). */
export interface Route {
  method: string;
  /** As the app registers it. */
  template: string;
  /** An example of it. */
  path: string;
  admits: Admits;
}

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const TOKEN = `${ID}.${'a'.repeat(43)}`;

const ROWS: readonly [method: string, template: string, admits: Admits][] = [
  ['POST', '/webhooks/diun', 'webhook'],
  ['GET', '/health', 'anyone'],
  ['GET', '/updates', 'api'],
  ['POST', '/updates', 'api'],
  ['GET', '/updates/:id', 'api'],
  ['GET', '/updates/:id/events', 'api'],
  ['POST', '/updates/:id/rehearsal', 'api'],
  ['GET', '/approvals/:token', 'link'],
  ['POST', '/approvals/:token', 'link'],
  ['GET', '/approvals/:token/events', 'link'],
  ['GET', '/backups', 'api'],
  ['POST', '/backups', 'api'],
  ['GET', '/renewals', 'api'],
  ['POST', '/renewals', 'api'],
  ['GET', '/audit', 'api'],
  ['GET', '/', 'api'],
  ['GET', '/metrics', 'api'],
  ['GET', '/openapi.json', 'anyone'],
  ...['approve', 'decline', 'window', 'start-now', 'retry', 'rehearse', 'backup', 'renew'].map(
    (action): [string, string, Admits] => ['POST', `/actions/${action}`, 'form'],
  ),
];

export const ROUTES: readonly Route[] = ROWS.map(([method, template, admits]) => ({
  ...{ method, template, admits },
  path: template.replace(':id', ID).replace(':token', TOKEN),
}));

/** Other spellings of an address, none of which is a route: slashes, case, encodings, dots. */
export function spellingsOf(path: string): string[] {
  const first = path.charAt(1);
  const encoded = `%${first.charCodeAt(0).toString(16)}`;
  const spelled = [
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `${path}/.`,
    `${path}%2f`,
    `${path}%20`,
    `${path}%00`,
    `${path};x=1`,
    `/.${path}`,
    `/x/..${path}`,
    `/%2e${path}`,
    path.replaceAll('/', '%2f').replace('%2f', '/'),
    path.replace('/', '/%2f'),
    path.replace('/', '/\\'),
    `/${path.slice(1, 2).toUpperCase()}${path.slice(2)}`,
    path.toUpperCase(),
    `/${encoded}${path.slice(2)}`,
  ];
  return [...new Set(spelled)].filter((each) => each !== path && path !== '/');
}
