/**
 * Where base images come from: a public image where a public registry is in reach, else the distribution's packages.
 * Everything built on top of them is the same (`recipes.ts`).
 */
export const BASE_IMAGES = {
  debian12: { public: 'docker.io/library/debian:bookworm-slim', distribution: { suite: 'bookworm' } },
  debian13: { public: 'docker.io/library/debian:trixie-slim', distribution: { suite: 'trixie' } },
  nginxOld: {
    public: 'docker.io/library/nginx:1.24',
    distribution: { on: 'debian12', folder: 'nginx', freeze: { NGINX_VERSION: NGINX_VERSION() } },
  },
  nginxNew: {
    public: 'docker.io/library/nginx:1.26',
    distribution: { on: 'debian13', folder: 'nginx', freeze: { NGINX_VERSION: NGINX_VERSION() } },
  },
  postgres15: {
    public: 'docker.io/library/postgres:15',
    distribution: {
      on: 'debian12',
      folder: 'postgres',
      args: { PG_MAJOR: '15' },
      freeze: { PG_VERSION: PG_VERSION(15) },
    },
  },
  postgres17: {
    public: 'docker.io/library/postgres:17',
    distribution: {
      on: 'debian13',
      folder: 'postgres',
      args: { PG_MAJOR: '17' },
      freeze: { PG_VERSION: PG_VERSION(17) },
    },
  },
} as const satisfies Record<string, BaseImage>;

export type BaseName = keyof typeof BASE_IMAGES;

export interface BaseImage {
  public: string;
  distribution: DebianRelease | PackagedImage;
}

/** A minimal system, made by debootstrap. */
export interface DebianRelease {
  suite: string;
}

/** Debian packages on a base; `freeze`: environment whose value only the installed package knows, as a shell command. */
export interface PackagedImage {
  on: 'debian12' | 'debian13';
  folder: string;
  args?: Record<string, string>;
  freeze: Record<string, string>;
}

function NGINX_VERSION(): string {
  return `nginx -v 2>&1 | sed 's|.*nginx/||; s| .*||'`;
}

function PG_VERSION(major: number): string {
  return `dpkg-query -W -f '\${Version}' postgresql-${major}`;
}
