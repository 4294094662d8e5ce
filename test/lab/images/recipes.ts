import type { BaseName } from './base-images';

/** One image on top of a base or of another recipe; `dockerfile` lies beside its build context's files. */
export interface Recipe {
  from: BaseName | ImageName;
  dockerfile: string;
  args?: Record<string, string>;
}

/** Every image the lab offers. `npm run lab` prints where each is as LAB_IMAGE_NAME. */
export const IMAGE_NAMES = [
  'NGINX_GOOD_1',
  'NGINX_GOOD_2',
  'NGINX_CONFIG_BREAKING',
  'NGINX_NEVER_HEALTHY',
  'NGINX_CRASH_LOOPING',
  'NGINX_SLOW',
  'POSTGRES_15',
  'POSTGRES_15_NEXT',
  'POSTGRES_17',
  'POSTGRES_17_ELSEWHERE',
  'APP_BASE',
  'APP_1',
  'APP_2',
  'APP_2_BROKEN',
  'WRITER_1',
  'WRITER_2',
  'WRITER_2_BROKEN',
  'WRITER_2_MIGRATES',
  'DEBIAN_13',
  'EDGE',
  'CERTBOT',
  'PEBBLE',
] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

export const RECIPES: Record<ImageName, Recipe> = {
  NGINX_GOOD_1: { from: 'nginxOld', dockerfile: 'nginx-variants/good.Dockerfile', args: { NAME: 'good-1' } },
  NGINX_GOOD_2: { from: 'nginxNew', dockerfile: 'nginx-variants/good.Dockerfile', args: { NAME: 'good-2' } },
  NGINX_CONFIG_BREAKING: { from: 'nginxNew', dockerfile: 'nginx-variants/config-breaking.Dockerfile' },
  NGINX_NEVER_HEALTHY: { from: 'nginxNew', dockerfile: 'nginx-variants/never-healthy.Dockerfile' },
  NGINX_CRASH_LOOPING: { from: 'nginxNew', dockerfile: 'nginx-variants/crash-looping.Dockerfile' },
  NGINX_SLOW: { from: 'nginxNew', dockerfile: 'nginx-variants/slow.Dockerfile' },
  POSTGRES_15: { from: 'postgres15', dockerfile: 'variant/Dockerfile', args: { VARIANT: 'first' } },
  POSTGRES_15_NEXT: { from: 'postgres15', dockerfile: 'variant/Dockerfile', args: { VARIANT: 'next' } },
  POSTGRES_17: { from: 'postgres17', dockerfile: 'variant/Dockerfile', args: { VARIANT: 'first' } },
  POSTGRES_17_ELSEWHERE: { from: 'POSTGRES_17', dockerfile: 'postgres-elsewhere/Dockerfile', args: { PG_MAJOR: '17' } },
  APP_BASE: { from: 'debian12', dockerfile: 'app/Dockerfile' },
  APP_1: { from: 'APP_BASE', dockerfile: 'app/release.Dockerfile', args: { VERSION: '1.0.0', SCHEMA: '1' } },
  APP_2: { from: 'APP_BASE', dockerfile: 'app/release.Dockerfile', args: { VERSION: '2.0.0', SCHEMA: '2' } },
  APP_2_BROKEN: {
    from: 'APP_BASE',
    dockerfile: 'app/release.Dockerfile',
    args: { VERSION: '2.0.1', SCHEMA: '2', HEALTH: 'fail' },
  },
  WRITER_1: writer('1', '1', 'yes'),
  WRITER_2: writer('2', '1', 'yes'),
  WRITER_2_BROKEN: writer('2', '1', 'no'),
  WRITER_2_MIGRATES: writer('2', '2', 'no'),
  CERTBOT: { from: 'debian12', dockerfile: 'certbot/Dockerfile' },
  PEBBLE: { from: 'debian12', dockerfile: 'pebble/Dockerfile' },
  DEBIAN_13: { from: 'debian13', dockerfile: 'variant/Dockerfile', args: { VARIANT: 'first' } },
  EDGE: { from: 'debian12', dockerfile: 'edge/Dockerfile' },
};

function writer(RELEASE: string, SCHEMA: string, WORKS: 'yes' | 'no'): Recipe {
  return { from: 'debian13', dockerfile: 'writer/Dockerfile', args: { RELEASE, SCHEMA, WORKS } };
}

/**
 * An nginx site as an operator mounts it at /etc/nginx/conf.d. It names the log format of the official image, which
 * every good version defines and NGINX_CONFIG_BREAKING does not.
 */
export const LIVE_NGINX_SITE = `server {
    listen 80;
    access_log /dev/stdout main;
    location / {
        root /usr/share/nginx/html;
        index index.html;
    }
}
`;
