import type { DockerCli } from '../engine/docker-cli';
import { noteMadeImage } from '../lab-record';

/** Pulls an image unless the engine has it; what was not there is remembered, and a guest takes it away again. */
export async function pullUnlessThere(docker: DockerCli, dir: string, reference: string): Promise<void> {
  if (await docker.inspect('image', reference)) return;
  await docker.run(['pull', '--quiet', reference]);
  noteMadeImage(dir, reference);
}
