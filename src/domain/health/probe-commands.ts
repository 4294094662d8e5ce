import type { ProbeSpec } from '../labels/container-labels';
import { environmentOf } from '../recreate/own-config';

/** Before the status of an answer, in what curl prints. */
export const STATUS_MARK = 'diun-pilot-status:';
/** proc(5). */
export const LISTENING = '0A';
export const GITEA_HEALTH = '/api/healthz';
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const GITEAS_USUAL_PORT = 3000;

/** Lists the listening sockets of a network namespace: the second where there is no `grep`. */
export const LIST_LISTENERS = { grep: ['grep', '-h', ` ${LISTENING} `, ...TABLES], cat: ['cat', ...TABLES] };

/** Asks over HTTP inside the container: the second where there is no curl. Pure. */
export function httpCommands(port: number, path: string): { curl: string[]; wget: string[] } {
  const url = `http://127.0.0.1:${port}${path}`;
  return {
    curl: ['curl', '-s', '-m', '5', '-w', `\n${STATUS_MARK}%{http_code}`, url],
    wget: ['wget', '-q', '-T', '5', '-O', '-', url],
  };
}

/** Which of the sockets a process of the container holds open. What runs as another user may not be looked at. Pure. */
export function heldSockets(inodes: readonly string[]): string[] {
  return ['sh', '-c', `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -oE 'socket:\\[(${inodes.join('|')})\\]' || true`];
}

/** As Gitea's own `environment-to-ini` reads it, else as its image fills in the first `app.ini`. Pure. */
export function giteaPort(entries: readonly string[] | null | undefined): number {
  const environment = environmentOf(entries);
  const [, written] = [...environment].find(([key]) => key.toUpperCase() === 'GITEA__SERVER__HTTP_PORT') ?? [];
  return Number(written ?? environment.get('HTTP_PORT')) || GITEAS_USUAL_PORT;
}

/** Whether a probe runs this command in a container of this environment, with nothing from outside but the label. Pure. */
export function isProbeCommand(spec: ProbeSpec, env: readonly string[] | null, command: readonly string[]): boolean {
  return commandsOf(spec, env, command).some((own) => JSON.stringify(own) === JSON.stringify(command));
}

function commandsOf(spec: ProbeSpec, env: readonly string[] | null, asked: readonly string[]): string[][] {
  switch (spec.kind) {
    case 'exec':
      return [spec.command];
    case 'http':
      return Object.values(httpCommands(spec.port, spec.path));
    case 'gitea':
      return [GITEA_HEALTH, '/'].flatMap((path) => Object.values(httpCommands(giteaPort(env), path)));
    case 'tcp':
      return Object.values(LIST_LISTENERS);
    case 'nginx':
      return [...Object.values(LIST_LISTENERS), heldSockets(inodesIn(asked))];
    case 'docker':
    case 'postgres':
      return [];
  }
}

/** Numbers only: the rest of the command is made again. */
function inodesIn([, , script = '']: readonly string[]): string[] {
  return /socket:\\\[\((\d+(?:\|\d+)*)\)/.exec(script)?.[1]?.split('|') ?? ['0'];
}
