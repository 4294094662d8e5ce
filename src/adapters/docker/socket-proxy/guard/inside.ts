import { cleanPath, isPathWithin } from '../../../../domain/recreate/own-mounts';
import { CERTBOT_RENEW } from '../../../../domain/certificates/certificate';
import { DF } from '../../../../domain/disk/df';
import { isProbeCommand } from '../../../../domain/health/probe-commands';
import { readProbe } from '../../../../domain/labels/read-probe';
import { hasReason, type Known, knownContainer, type Memory, type Sight } from './family';
import { powerOf, type Power } from './power';
import { isNothing, isSameJson, missing, mustBe, onlyKeys, refuse, words } from './strict';
import { isReadingScript } from './scripts';

const EXEC = words('AttachStdin AttachStdout AttachStderr Tty Cmd User Env');
const EXEC_START = words('Detach Tty');
/** What may run in every container, since an nginx may stand in front of one that is updated. */
const NGINX = [
  ['nginx', '-t'],
  ['nginx', '-T'],
  ['nginx', '-s', 'reload'],
];
/** A container by its name or ID now; what is passed on names it by ID. Throws `Refused`. */
export async function target(sight: Sight, nameOrId: string): Promise<Known> {
  return (await knownContainer(sight, nameOrId)) ?? missing('container', nameOrId);
}

/** Commands and files: where the operator's labels give a reason, and in what was created through this guard. */
async function mustBeOpen(sight: Sight, memory: Memory, known: Known): Promise<void> {
  if (memory.created.has(known.container.Id) || (await hasReason(known, sight))) return;
  const name = known.container.Name.slice(1);
  refuse(`${name} has none of the labels diun.enable, update.probe, backup.kind and renewal.role`);
}

export async function judgeExec(sight: Sight, memory: Memory, known: Known, body: unknown): Promise<void> {
  const asked = onlyKeys('the command', body, EXEC);
  const command = textsOf(asked['Cmd']) ?? refuse('Cmd is not a list of words');
  const env = textsOf(asked['Env'] ?? []) ?? refuse('Env is not a list of words');
  const isPlain = env.length === 0 && isNothing(asked['User']);
  if (isPlain && isOneOf(NGINX, command)) return;
  await mustBeOpen(sight, memory, known);
  mustBeItsUser(known, asked['User'], command, env);
  const power = await powerOf(known.container, sight);
  if (power === null) return;
  if (isPlain && (isOneOf([DF], command) || isItsProbe(known, command) || isItsRenewal(known, power, command))) return;
  refuse(`${known.container.Name.slice(1)} can be root on its host (${power.why}): only its own probe runs in it`);
}

function isItsRenewal({ labels }: Known, { isCertbots }: Power, command: string[]): boolean {
  return isCertbots && labels['renewal.role']?.trim() === 'certbot' && isOneOf([CERTBOT_RENEW], command);
}

/** Root only to look for folders that cannot be read, or where the container runs as root anyway. */
function mustBeItsUser({ container }: Known, user: unknown, command: string[], env: string[]): void {
  const own = container.Config.User ?? '';
  if (user === undefined || user === null || user === '' || user === own) return;
  const [shell, flag, script, name, path] = command;
  const looks =
    shell === 'sh' && flag === '-c' && isReadingScript(script) && name === 'sh' && path?.startsWith('/') === true;
  mustBe(
    looks && user === '0' && env.join() === 'LC_ALL=C',
    `User ${JSON.stringify(user)} is not that of the container`,
  );
}

function isItsProbe({ labels, container }: Known, command: string[]): boolean {
  const probe = readProbe(labels['update.probe']?.trim() ?? '');
  return 'kind' in probe && isProbeCommand(probe, container.Config.Env ?? null, command);
}

export function judgeExecStart(body: unknown): void {
  onlyKeys('the start', body, EXEC_START);
}

export async function judgeRead(
  sight: Sight,
  memory: Memory,
  known: Known,
  path: string,
  isStat: boolean,
): Promise<void> {
  await mustBeOpen(sight, memory, known);
  const power = await powerOf(known.container, sight);
  if (power === null || power.isCertbots || isStat || (await mayRead(sight, known, power, cleanPath(path)))) return;
  refuse(`${known.container.Name.slice(1)} can be root on its host (${power.why}): ${path} of it is not read`);
}

/**
 * A path in a mount may lead to another one by a link that another container has put there. A link in the image (`/var/run` is `/run`)
 * gives a path, or the place of a mount, a second name: compared is what they name.
 */
async function mayRead(sight: Sight, { container, labels }: Known, { mounts }: Power, path: string): Promise<boolean> {
  const real = (each: string): Promise<string> => sight.realPath(container.Id, each);
  const overlapsOneOf = async (places: readonly string[]): Promise<boolean> => {
    const asked = [path, await real(path)];
    const there = [...places, ...(await Promise.all(places.map(real)))];
    return asked.some((one) => there.some((place) => isPathWithin(one, place) || isPathWithin(place, one)));
  };
  if (await overlapsOneOf(mounts)) return false;
  const named = (labels['backup.paths'] ?? '').split(',').map((each) => cleanPath(each.trim()));
  return (
    named.includes(path) || !(await overlapsOneOf(container.Mounts.map(({ Destination }) => cleanPath(Destination))))
  );
}

export async function judgeWrite(sight: Sight, memory: Memory, known: Known): Promise<void> {
  await mustBeOpen(sight, memory, known);
  const power = await powerOf(known.container, sight);
  if (power === null) return;
  refuse(`${known.container.Name.slice(1)} can be root on its host (${power.why}): no file is put into it`);
}

function isOneOf(commands: readonly (readonly string[])[], command: readonly string[]): boolean {
  return commands.some((known) => isSameJson(known, command));
}

function textsOf(value: unknown): string[] | null {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null;
}
