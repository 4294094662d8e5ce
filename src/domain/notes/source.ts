/** The programs whose release lists can be read. */
export type Forge = 'github' | 'gitlab' | 'gitea';

/** Where release notes are read from. */
export interface NotesSource {
  /** For a person. */
  url: string;
  /** What is asked, in this order until one knows the project: which forge serves a host cannot be seen by its name. */
  asked: (ReleaseList | Changelog)[];
}

/** The releases of one project, by the API of its forge. */
export interface ReleaseList {
  forge: Forge;
  /** Without parameters. */
  api: string;
}

/** A text with a heading for each version. */
export interface Changelog {
  forge: 'changelog';
  api: string;
  /** Asked of GitHub's API, which gives the file as it is. */
  raw: boolean;
}

const LONGEST = 500;
/** Pages of a repository that are no part of its name. */
const PAGES =
  /^(?:-|releases|tags|tree|src|blob|raw|commits?|branch(?:es)?|wiki|issues|pulls?|pull-requests|packages|activity)$/;
const CHANGELOG = /\.(?:md|markdown|txt|rst)$/i;
const GITEAS = ['codeberg.org', 'gitea.com'];

/**
 * Reads `update.notes` or an image's `org.opencontainers.image.source`: the address of a repository, a page of it, its API, or a
 * changelog. Null: it is not an http(s) address, or has a user name or password.
 */
export function readSource(text: string): NotesSource | null {
  const url = projectUrl(text.trim());
  if (url === null) return null;
  const segments = url.pathname.split('/').filter((part) => part !== '');
  const byApi = fromApi(url, segments);
  if (byApi !== null) return byApi;
  const end = segments.findIndex((part, at) => at > 0 && PAGES.test(part));
  const project = (end < 0 ? segments : segments.slice(0, end))
    .map((part) => part.replace(/\.git$/, ''))
    .filter((part) => part !== '');
  if (CHANGELOG.test(url.pathname)) return { url: url.href, asked: [changelogAt(url, segments)] };
  if (project.length < 2) return { url: url.href, asked: [] };
  return { url: pageOf(url, project), asked: listsOf(url, project) };
}

/** `git@host:owner/name.git` and `ssh://git@host/…` name the same project as https does. */
function projectUrl(text: string): URL | null {
  const scp = /^git@([^:/\s]+):(?!\/)(\S+)$/.exec(text);
  const plain = scp === null ? text.replace(/^git\+/, '') : `https://${scp[1]}/${scp[2]}`;
  const web = plain.replace(/^(?:ssh:\/\/(?:git@)?|git:\/\/)([^/:]+)(?::\d+)?\//, 'https://$1/');
  if (web.length > LONGEST || !URL.canParse(web)) return null;
  const url = new URL(web);
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return null;
  url.hash = '';
  url.search = '';
  if (url.hostname === 'www.github.com') url.hostname = 'github.com';
  return url;
}

/** An address of the API says which forge it is. */
function fromApi(url: URL, segments: string[]): NotesSource | null {
  const path = segments.join('/');
  const gitea = /^(.*?)\/?api\/v1\/repos\/([^/]+)\/([^/]+)/.exec(`/${path}`);
  const gitlab = /^(.*?)\/?api\/v4\/projects\/([^/]+)/.exec(`/${path}`);
  const github = /^(\/api\/v3)?\/repos\/([^/]+)\/([^/]+)/.exec(`/${path}`);
  const at = (below: string): string => onSameHost(url, below);
  if (gitea !== null) {
    const [, base = '', owner = '', name = ''] = gitea;
    return {
      url: at(`${base}/${owner}/${name}/releases`),
      asked: [{ forge: 'gitea', api: at(`${base}/api/v1/repos/${owner}/${name}/releases`) }],
    };
  }
  if (gitlab !== null) {
    const [, base = '', id = ''] = gitlab;
    const page = /%2F/i.test(id) ? at(`${base}/${decodeSlashes(id)}/-/releases`) : url.href;
    return { url: page, asked: [{ forge: 'gitlab', api: at(`${base}/api/v4/projects/${id}/releases`) }] };
  }
  if (github === null) return null;
  const [, base = '', owner = '', name = ''] = github;
  const page =
    url.hostname === 'api.github.com'
      ? `https://github.com/${owner}/${name}/releases`
      : at(`/${owner}/${name}/releases`);
  return { url: page, asked: [{ forge: 'github', api: at(`${base}/repos/${owner}/${name}/releases`) }] };
}

function listsOf(url: URL, project: string[]): ReleaseList[] {
  const path = project.join('/');
  const [owner = '', name = ''] = project;
  const base = project.slice(0, -2).map((part) => `/${part}`);
  const at = (below: string): string => onSameHost(url, below);
  const github: ReleaseList =
    url.hostname === 'github.com'
      ? { forge: 'github', api: `https://api.github.com/repos/${owner}/${name}/releases` }
      : { forge: 'github', api: at(`/api/v3/repos/${owner}/${name}/releases`) };
  const gitlab: ReleaseList = {
    forge: 'gitlab',
    api: at(`/api/v4/projects/${encodeURIComponent(decodeSlashes(path))}/releases`),
  };
  const gitea: ReleaseList = {
    forge: 'gitea',
    api: at(`${base.join('')}/api/v1/repos/${project.slice(-2).join('/')}/releases`),
  };
  if (url.hostname === 'github.com') return [github];
  if (url.hostname === 'gitlab.com') return [gitlab];
  if (GITEAS.includes(url.hostname)) return [gitea];
  // A proxy of GitHub's API has it at the root.
  const proxied: ReleaseList = { forge: 'github', api: at(`/repos/${owner}/${name}/releases`) };
  return url.hostname.includes('gitlab') ? [gitlab, gitea, github, proxied] : [gitea, gitlab, github, proxied];
}

function pageOf(url: URL, project: string[]): string {
  const path = project.join('/');
  return onSameHost(url, url.hostname === 'gitlab.com' ? `/${path}/-/releases` : `/${path}/releases`);
}

/** A path is a stranger's text: resolved as a reference, one with `//` first would name another host, or none. */
function onSameHost(url: URL, path: string): string {
  const there = new URL(url);
  there.pathname = path;
  return there.href;
}

/** The file itself, where the address is that of the page which shows it. */
function changelogAt(url: URL, segments: string[]): Changelog {
  const [owner = '', name = '', page = '', ref = '', ...file] = segments;
  if (url.hostname === 'github.com' && /^(?:blob|raw)$/.test(page) && file.length > 0) {
    const api = `https://api.github.com/repos/${owner}/${name}/contents/${file.join('/')}?ref=${encodeURIComponent(ref)}`;
    return { forge: 'changelog', api, raw: true };
  }
  const raw = new URL(url);
  raw.pathname = url.pathname.replace('/-/blob/', '/-/raw/').replace(/\/src\/(branch|tag|commit)\//, '/raw/$1/');
  return { forge: 'changelog', api: raw.href, raw: false };
}

function decodeSlashes(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A host from which release notes may be read. */
export interface NotesHost {
  /** Lower case; IPv6 in brackets, as in an address. */
  host: string;
  /** Null: any, by https only. A host with its port may also speak plain HTTP: the operator named the very service. */
  port: number | null;
}

/** The public forges, by https at its own port. */
const PUBLIC_FORGES: readonly string[] = ['github.com', 'api.github.com', 'gitlab.com', 'codeberg.org', 'gitea.com'];

/** Whether the operator listed it: then its address may be a private one. */
export function isListed(url: URL, hosts: readonly NotesHost[]): boolean {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  return hosts.some(
    (known) => known.host === url.hostname && (known.port === null ? url.protocol === 'https:' : known.port === port),
  );
}

/** Why release notes are not read from there, as a sentence that says what to do; null: they may be. */
export function whyNotAllowed(url: URL, hosts: readonly NotesHost[]): string | null {
  if (isListed(url, hosts)) return null;
  const isPublic = PUBLIC_FORGES.includes(url.hostname);
  if (isPublic && url.protocol === 'https:' && url.port === '') return null;
  const entry = url.protocol === 'https:' && url.port === '' ? url.host : hostAndPort(url);
  if (url.protocol !== 'https:')
    return `${url.host} does not use TLS: use https://, or list ${entry} in PILOT_NOTES_HOSTS.`;
  return `${url.host} is not a host from which release notes may be read: list ${entry} in PILOT_NOTES_HOSTS.`;
}

function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
