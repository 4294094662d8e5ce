/** The table of routes in the contract, section 3, with an example for each parameter. */
export interface Route {
  method: string;
  path: string;
}

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const TOKEN = `${ID}.${'a'.repeat(43)}`;

export const ROUTES: readonly Route[] = [
  ['POST', '/webhooks/diun'],
  ['GET', '/health'],
  ['GET', '/updates'],
  ['POST', '/updates'],
  ['GET', `/updates/${ID}`],
  ['GET', `/updates/${ID}/events`],
  ['GET', `/approvals/${TOKEN}`],
  ['POST', `/approvals/${TOKEN}`],
  ['GET', `/approvals/${TOKEN}/events`],
  ['GET', '/backups'],
  ['POST', '/backups'],
  ['GET', '/renewals'],
  ['POST', '/renewals'],
  ['GET', '/'],
  ['GET', '/metrics'],
  ['GET', '/openapi.json'],
  ['POST', '/actions/approve'],
  ['POST', '/actions/backup'],
].map(([method = '', path = '']) => ({ method, path }));

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
