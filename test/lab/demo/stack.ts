import { composeProject, type ComposeProject } from '../compose';
import { LIVE_NGINX_SITE } from '../images/recipes';
import type { Lab } from '../lab';

/** The tags that the demo's containers run and that Diun watches. */
export const TAGS = { nginx: 'demo/nginx:stable', app: 'demo/app:stable', postgres: 'demo/postgres:15' };

/** A small self-hosted stack, labelled as the README tells: nginx by itself, the app and its database by an operator's word. */
export async function bringUpStack(lab: Lab): Promise<ComposeProject> {
  await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, TAGS.nginx);
  await lab.registry.publishAndPull(lab.images.APP_1, TAGS.app);
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, TAGS.postgres);
  const stack = composeProject(lab, 'demo', yaml(lab), { 'conf/site.conf': LIVE_NGINX_SITE });
  await stack.up();
  return stack;
}

function yaml({ registry }: Lab): string {
  return `services:
  nginx:
    image: ${registry.reference(TAGS.nginx)}
    restart: unless-stopped
    ports: ['127.0.0.1::80']
    volumes: ['./conf:/etc/nginx/conf.d:ro']
    labels:
      diun.enable: 'true'
      update.policy: automatic
      update.probe: nginx
  app:
    image: ${registry.reference(TAGS.app)}
    restart: unless-stopped
    depends_on: [postgres]
    ports: ['127.0.0.1::3000']
    volumes: ['app:/data']
    environment: { APP_DB_HOST: postgres, APP_DB_NAME: app, APP_DB_USER: app, APP_DB_PASSWORD: demo }
    labels:
      diun.enable: 'true'
      update.policy: manual
      update.probe: gitea
      backup.kind: files
      backup.paths: /data
  postgres:
    image: ${registry.reference(TAGS.postgres)}
    restart: unless-stopped
    volumes: ['db:/var/lib/postgresql/data']
    environment: { POSTGRES_USER: app, POSTGRES_DB: app, POSTGRES_PASSWORD: demo }
    labels:
      diun.enable: 'true'
      update.policy: manual
      update.probe: postgres
      backup.kind: postgres
volumes: { app: {}, db: {} }
`;
}
