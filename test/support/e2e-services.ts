import { LIVE_NGINX_SITE } from '../lab/images/recipes';

/** One service of a compose file. */
export type Service = Record<string, unknown> & { image: string; labels: Record<string, string> };

/** JSON is YAML. */
export function composeYaml(services: Record<string, Service>, top: object = {}): string {
  return JSON.stringify({ services, ...top }, null, 2);
}

/** Watched and automatic, with a probe that tells quickly. */
export const AUTOMATIC: Record<string, string> = {
  'diun.enable': 'true',
  'update.policy': 'automatic',
  'update.probe': 'nginx',
  'update.probe.timeout': '20s',
};

/** An nginx as an operator runs it: a published port, and its configuration mounted from beside the compose file. */
export function nginxService(image: string, labels: Record<string, string> = AUTOMATIC, more: object = {}): Service {
  return {
    image,
    labels,
    ports: ['127.0.0.1::80'],
    volumes: ['./conf:/etc/nginx/conf.d:ro'],
    restart: 'always',
    ...more,
  };
}

/** What `nginxService` mounts. */
export const SITE = { 'conf/site.conf': LIVE_NGINX_SITE };
