import type { ComposeProject } from '../lab/compose';
import type { Lab } from '../lab/lab';
import { LIVE_NGINX_SITE } from '../lab/images/recipes';
import { AUTOMATIC, type Service } from './e2e-services';
import type { Stage } from './e2e-stage';

/** Two nginx may listen beside one another. */
export const SHARED_SITE = { 'conf/site.conf': LIVE_NGINX_SITE.replace('listen 80;', 'listen 80 reuseport;') };

/** nginx as the shipped stack runs it: in the network of `edge`, which owns the ports and outlives it. */
export function edgeServices(lab: Lab, image: string, labels: Record<string, string> = {}): Record<string, Service> {
  return {
    edge: {
      image: lab.images.EDGE,
      labels: {},
      ports: ['127.0.0.1::80'],
      // What waits in the queue of a listener that closes goes to the other one (Linux 5.14), instead of being reset.
      sysctls: { 'net.ipv4.tcp_migrate_req': 1 },
      restart: 'always',
    },
    nginx: {
      image,
      labels: { ...AUTOMATIC, 'update.strategy': 'handover', ...labels },
      network_mode: 'service:edge',
      volumes: ['./conf:/etc/nginx/conf.d:ro'],
      restart: 'always',
    },
  };
}

/** Up on the first good version, and serving. */
export async function openEdgeProject(
  stage: Stage,
  name: string,
  tag: string,
  labels: Record<string, string> = {},
): Promise<ComposeProject> {
  await stage.lab.registry.publishAndPull(stage.lab.images.NGINX_GOOD_1, tag);
  const services = edgeServices(stage.lab, stage.lab.registry.reference(tag), labels);
  return stage.project(name, services, { files: SHARED_SITE });
}
