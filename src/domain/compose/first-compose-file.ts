/** What the compose file of a first installation depends on. */
export interface FirstInstallation {
  /** With Diun; without it, only the comparison with the registry finds updates. */
  diun: boolean;
  /** Base64url, so that YAML and Compose need no escapes. */
  secrets: { webhookToken: string; apiToken: string; approvalSecret: string };
  /** The Docker socket on the host, and the number of its group; null: not known here. */
  socket: { path: string; group: number | null };
}

/** How the operator finds the group where the socket is not mounted. */
export const FIND_GROUP = 'echo DOCKER_GID=$(stat -c %g /var/run/docker.sock) >> .env';

/** A complete compose file of at most 60 lines that comes up without an edit. It contains secrets. */
export function firstCompose(installation: FirstInstallation): string {
  const { diun } = installation;
  const volumes = diun ? '  diun:\n  pilot:\n' : '  pilot:\n';
  return `${head(diun)}${pilotService(installation)}${diun ? diunService(installation) : ''}volumes:\n${volumes}`;
}

function head(diun: boolean): string {
  return `# diun-pilot${diun ? ' with Diun' : ' without Diun'}. It contains secrets: keep it private (chmod 600 compose.yaml).
# Start: docker compose up -d. Then: docker compose exec diun-pilot diun-pilot check
# Page: http://localhost:8080 on this host, with any user name and PILOT_API_TOKEN as the password.
# Without labels no container is changed. Labels to paste: docker compose exec diun-pilot diun-pilot suggest
name: diun-pilot
services:
`;
}

function pilotService({ diun, secrets, socket }: FirstInstallation): string {
  const webhook = diun ? `      PILOT_WEBHOOK_TOKEN: '${secrets.webhookToken}'\n` : '';
  return `  diun-pilot:
    image: diun-pilot:latest
    restart: unless-stopped
${groupLines(socket.group)}    environment:
      TZ: \${TZ:-UTC} # time zone of schedules and mails, such as Europe/Berlin
      # act updates by the labels; observe decides, backs up and reports, but changes no container.
      PILOT_MODE: act
${webhook}      PILOT_API_TOKEN: '${secrets.apiToken}'
      PILOT_APPROVAL_SECRET: '${secrets.approvalSecret}'
      # When ${diun ? 'updates that Diun could not report' : 'updates'} are looked up in the registry (cron).
      PILOT_RECONCILE_SCHEDULE: '${diun ? '0 4 * * *' : '0 */6 * * *'}'
      # Until these are set, mails are files in /data/mail, and their links lead to localhost.
      # PILOT_MAIL_URL: smtps://USER:PASSWORD@mail.example.org
      # PILOT_MAIL_FROM: pilot@example.org
      # PILOT_MAIL_TO: you@example.org
      # PILOT_PUBLIC_URL: https://pilot.example.org
      # Backups are files in /data/backups. Better: another machine.
      # PILOT_BACKUP_URL: s3://BUCKET/PREFIX
    volumes:
      - pilot:/data
      - \${DOCKER_SOCKET:-${socket.path}}:/var/run/docker.sock
      # The folder of each compose project whose tags diun-pilot writes, at the same path:
      # - /srv/web:/srv/web
    ports: ['127.0.0.1:8080:8080']
    healthcheck: { interval: 5s, timeout: 15s, retries: 6, start_period: 90s }
    stop_grace_period: 15s
    read_only: true
    tmpfs: ['/tmp']
    cap_drop: [ALL]
    security_opt: ['no-new-privileges:true']
`;
}

function groupLines(group: number | null): string {
  const comment = '    # The group of the Docker socket on this host';
  if (group !== null) return `${comment} (stat -c %g).\n    group_add: ['${group}']\n`;
  return `${comment} is not known yet: ${FIND_GROUP}\n    group_add: ['\${DOCKER_GID:-999}']\n`;
}

function diunService({ secrets, socket }: FirstInstallation): string {
  return `  diun:
    image: crazymax/diun:4.33.0
    command: serve
    restart: unless-stopped
    depends_on: { diun-pilot: { condition: service_healthy } }
    environment:
      TZ: \${TZ:-UTC}
      DIUN_WATCH_SCHEDULE: '0 */6 * * *' # every 6 hours
      DIUN_PROVIDERS_DOCKER: 'true'
      DIUN_PROVIDERS_DOCKER_WATCHBYDEFAULT: 'false' # only containers with diun.enable=true
      DIUN_NOTIF_WEBHOOK_ENDPOINT: http://diun-pilot:8080/webhooks/diun
      DIUN_NOTIF_WEBHOOK_METHOD: POST
      DIUN_NOTIF_WEBHOOK_HEADERS_AUTHORIZATION: Bearer ${secrets.webhookToken}
    volumes: ['diun:/data', '\${DOCKER_SOCKET:-${socket.path}}:/var/run/docker.sock:ro']
`;
}
