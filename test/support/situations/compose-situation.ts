import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DockerCli } from '../../lab/engine/docker-cli';

const compose = (image: string): object => ({
  services: {
    web: {
      image,
      labels: { 'diun.enable': 'true', 'update.policy': 'automatic' },
      environment: { OWN: 'yes' },
      volumes: ['/anonymous', 'data:/data'],
      ports: ['127.0.0.1::80'],
      networks: {
        inside: { aliases: ['api'], ipv4_address: '10.231.103.9', priority: 1 },
        outside: { aliases: ['www'], ipv4_address: '10.231.104.9', mac_address: '02:aa:bb:cc:dd:03', priority: 100 },
      },
    },
  },
  volumes: { data: {} },
  networks: {
    inside: { ipam: { config: [{ subnet: '10.231.103.0/24' }] } },
    outside: { ipam: { config: [{ subnet: '10.231.104.0/24' }] } },
  },
});

/** A compose project with two networks, aliases, static and MAC addresses, and an anonymous volume. */
export async function withComposeProject(
  docker: DockerCli,
  project: string,
  image: string,
  act: (container: string, composeUp: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'diun-pilot-compose-'));
  const file = join(folder, 'compose.json');
  await writeFile(file, JSON.stringify(compose(image)));
  const run = (...args: string[]): Promise<string> =>
    docker.run(['compose', '--project-name', project, '--file', file, ...args]);
  try {
    await run('up', '--detach', '--quiet-pull');
    await act(`${project}-web-1`, async () => void (await run('up', '--detach')));
  } finally {
    await run('down', '--volumes', '--timeout', '0');
    await rm(folder, { recursive: true });
  }
}
