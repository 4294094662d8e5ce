import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, eventually } from '../../support/eventually';
import { run } from '../command';
import { freePort } from '../free-port';
import { guests, type Lab } from '../lab';
import { startLasting } from '../lasting-process';

const PROGRAM = '/usr/bin/docker-registry';

/** A registry that asks for a login, with all that the lab's registry has. */
export interface GuardedRegistry {
  /** `127.0.0.1:PORT`; engines accept plain HTTP on loopback. */
  readonly address: string;
  /** From now on exactly these have access: passwords by user name. It reads the file again when its time differs. */
  allow(users: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/** Why none can be started here; null: it can. */
export function whyNoGuardedRegistry(): string | null {
  return existsSync(PROGRAM) ? null : `a registry with a login needs ${PROGRAM}, not installed here`;
}

/** A second process on the storage of the lab's registry: what is published there is here too, behind a login. */
export async function startGuardedRegistry(lab: Lab, users: Record<string, string>): Promise<GuardedRegistry> {
  const home = lab.scratch('guarded-registry');
  const logins = join(home, 'htpasswd');
  const address = `127.0.0.1:${await freePort()}`;
  const allow = async (allowed: Record<string, string>): Promise<void> => {
    const lines = await Promise.all(Object.entries(allowed).map(loginLine));
    writeFileSync(logins, lines.join(''));
  };
  await allow(users);
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(lab.dir, 'registry/storage') } },
    http: { addr: address },
    auth: { htpasswd: { realm: 'lab', path: logins } },
  };
  // JSON is YAML.
  writeFileSync(join(home, 'config.yml'), JSON.stringify(config));
  const registry = startLasting(guests(lab.dir), {
    name: 'guarded registry',
    file: PROGRAM,
    args: ['serve', join(home, 'config.yml')],
    logFile: join(home, 'registry.log'),
  });
  const asksForLogin = async (): Promise<boolean> => {
    if (!registry.running()) throw new Broken(`the registry ended: ${registry.lines().slice(-5).join('\n')}`);
    return (await fetch(`http://${address}/v2/`)).status === 401;
  };
  await eventually('the registry asks for a login', asksForLogin, { everyMs: 50 });
  return { address, allow, stop: () => registry.stop() };
}

/** As `htpasswd -B` writes it; libcrypt has bcrypt on every Debian. */
async function loginLine([user, password]: [string, string]): Promise<string> {
  const salt = '$2y$05$labLabLabLabLabLabLabO';
  const hash = await run('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, salt]);
  if (!hash.startsWith('$2y$05$')) throw new Error('crypt() of this machine has no bcrypt');
  return `${user}:${hash}\n`;
}
