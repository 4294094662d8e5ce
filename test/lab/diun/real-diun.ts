import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, eventually } from '../../support/eventually';
import { pullUnlessThere } from '../images/public-image';
import { guests, viewSocket, type Lab } from '../lab';
import { startLasting } from '../lasting-process';
import type { Diun, DiunTarget } from './diun';

const PUBLIC_IMAGE = 'docker.io/crazymax/diun:4.33';

/** The real Diun as a process. */
export async function diunProgram(lab: Lab, target: DiunTarget, program: string): Promise<Diun> {
  const home = lab.scratch('diun');
  const diun = startLasting(guests(lab.dir), {
    name: 'diun',
    file: program,
    args: ['serve', '--config', writeConfig(lab, target, home)],
    env: { PATH: process.env['PATH'], HOME: home, LOG_LEVEL: 'info' },
    logFile: join(home, 'diun.log'),
  });
  await hasLookedOnce(() => {
    if (!diun.running()) throw new Broken(`diun ended: ${diun.lines().slice(-5).join('\n')}`);
    return Promise.resolve(diun.lines().join('\n'));
  });
  target.say('Diun: the real one, checking every few seconds');
  return { kind: 'real', stop: () => diun.stop() };
}

/** The real Diun from its public image, on the host's network like the registry it asks. */
export async function diunInContainer(lab: Lab, target: DiunTarget): Promise<Diun> {
  const home = lab.scratch('diun');
  const config = writeConfig(lab, target, home);
  const socket = viewSocket(lab);
  const mounts = ['--volume', `${home}:${home}`, '--volume', `${socket}:${socket}`];
  const options = ['--detach', '--label', lab.label, '--network', 'host', ...mounts];
  await pullUnlessThere(lab.docker, lab.dir, PUBLIC_IMAGE);
  const id = await lab.docker.run(['run', ...options, PUBLIC_IMAGE, 'serve', '--config', config]);
  await hasLookedOnce(async () => {
    const { stdout, stderr } = await lab.docker.attempt(['logs', id]);
    return stdout + stderr;
  });
  target.say(`Diun: the real one (${PUBLIC_IMAGE}), checking every few seconds`);
  return { kind: 'real', stop: async () => void (await lab.docker.run(['rm', '--force', '--volumes', id])) };
}

function writeConfig(lab: Lab, { baseUrl, token }: DiunTarget, home: string): string {
  const config = {
    db: { path: join(home, 'diun.db') },
    watch: { schedule: '@every 3s', jitter: '0s', firstCheckNotif: false },
    providers: { docker: { endpoint: lab.viewHost, watchByDefault: false } },
    regopts: [{ name: lab.registry.address, selector: 'image', insecureTLS: true }],
    notif: {
      webhook: {
        endpoint: `${baseUrl}/webhooks/diun`,
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        timeout: '10s',
      },
    },
  };
  const file = join(home, 'diun.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}

/** The first look only fills its database: what is published after it is news. */
async function hasLookedOnce(log: () => Promise<string>): Promise<void> {
  const look = async () => /Jobs completed/.test(await log());
  await eventually('Diun has looked once', look);
}
