import { startRecordingServer, type RecordingServer } from './recording-server';

/** A release as a test writes it. */
export interface ForgeRelease {
  tag: string;
  name?: string;
  text?: string;
  draft?: boolean;
  prerelease?: boolean;
}

type ForgeKind = 'github' | 'gitlab' | 'gitea';

const PATHS: Record<ForgeKind, string> = {
  github: '/repos/team/app/releases',
  gitlab: '/api/v4/projects/team%2Fapp/releases',
  gitea: '/api/v1/repos/team/app/releases',
};

export interface ForgeServer extends RecordingServer {
  host: string;
  /** For `update.notes`. */
  project: string;
  releases: ForgeRelease[];
  /** Answers in its place; undefined: the forge answers. */
  instead: ((path: string) => { status: number; headers?: Record<string, string>; body?: string } | 'hang') | null;
}

/**
 * One project on a forge: pages, Link headers, ETags, and releases with the fields that the documentation of GitHub
 * (docs.github.com/rest/releases), GitLab (docs.gitlab.com/api/releases) and Gitea (its swagger.v1.json) give them.
 */
export async function startForge(kind: ForgeKind, releases: ForgeRelease[] = []): Promise<ForgeServer> {
  const server = await startRecordingServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const other = forge.instead?.(url.pathname + url.search);
    if (other === 'hang') return;
    if (other !== undefined) return void response.writeHead(other.status, other.headers).end(other.body);
    if (url.pathname !== PATHS[kind])
      return void response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"message":"404 Not Found"}');
    const size = Number(url.searchParams.get(kind === 'gitea' ? 'limit' : 'per_page') ?? 20);
    const page = Number(url.searchParams.get('page') ?? 1);
    const shown = forge.releases.slice((page - 1) * size, page * size);
    const body = JSON.stringify(shown.map((each) => SHAPES[kind](each, forge.project)));
    const etag = `W/"${Buffer.from(body).length}-${forge.releases.length}-${page}"`;
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { ETag: etag }).end();
    url.searchParams.set('page', `${page + 1}`);
    const more = page * size < forge.releases.length;
    const link = more ? { Link: `<${url.href}>; rel="next", <${url.href}>; rel="last"` } : {};
    response.writeHead(200, { 'Content-Type': 'application/json', ETag: etag, ...link }).end(body);
  });
  const host = `127.0.0.1:${server.port}`;
  const forge: ForgeServer = Object.assign(server, {
    host,
    project: kind === 'github' ? `http://${host}/repos/team/app` : `http://${host}/team/app`,
    releases,
    instead: null,
  });
  return forge;
}

const SHAPES: Record<ForgeKind, (release: ForgeRelease, project: string) => unknown> = {
  github: ({ tag, name = '', text = '', draft = false, prerelease = false }, project) => ({
    ...{
      url: `${project}/releases/1`,
      id: 1,
      tag_name: tag,
      target_commitish: 'main',
      name,
      body: text,
      draft,
      prerelease,
    },
    ...{ html_url: `${project}/releases/tag/${tag}`, author: { login: 'octocat' }, assets: [] },
    ...{ created_at: '2025-01-01T00:00:00Z', published_at: '2025-01-01T00:00:00Z' },
  }),
  gitlab: ({ tag, name = '', text = '', draft = false }, project) => ({
    ...{ tag_name: tag, name, description: text, upcoming_release: draft, released_at: '2025-01-01T00:00:00.000Z' },
    ...{ author: { username: 'root' }, commit: { id: 'abc' }, assets: { count: 0 } },
    _links: { self: `${project}/-/releases/${tag}` },
  }),
  gitea: ({ tag, name = '', text = '', draft = false, prerelease = false }, project) => ({
    ...{ id: 1, tag_name: tag, target_commitish: 'main', name, body: text, draft, prerelease },
    ...{ html_url: `${project}/releases/tag/${tag}`, published_at: '2025-01-01T00:00:00Z', assets: [] },
  }),
};
