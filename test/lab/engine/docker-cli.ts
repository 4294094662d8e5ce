import { existsSync } from 'node:fs';
import { attempt, CommandFailed, run, type CommandOptions, type Outcome } from '../command';

/** The docker command line, bound to one engine. */
export class DockerCli {
  constructor(
    readonly path: string,
    readonly host: string,
  ) {}

  /** What the command printed; throws CommandFailed. */
  run(args: string[], options: CommandOptions = {}): Promise<string> {
    return run(this.path, args, this.bound(options));
  }

  attempt(args: string[], options: CommandOptions = {}): Promise<Outcome> {
    return attempt(this.path, args, this.bound(options));
  }

  /** The lines that the command printed, empty ones left out. */
  async lines(args: string[]): Promise<string[]> {
    return (await this.run(args)).split('\n').filter((line) => line !== '');
  }

  /** The inspect result of one object; null when there is none of that name. */
  async inspect(kind: 'container' | 'image' | 'network' | 'volume', name: string): Promise<Inspected | null> {
    const outcome = await this.attempt([kind, 'inspect', name]);
    if (outcome.code === 0) return (JSON.parse(outcome.stdout) as Inspected[])[0] ?? null;
    if (/no such|not found/i.test(outcome.stderr)) return null;
    throw new CommandFailed(`docker ${kind} inspect ${name}`, outcome);
  }

  private bound(options: CommandOptions): CommandOptions {
    // The lab's recipes are for the builder that every Engine has; buildx is a separate package.
    return { ...options, env: { ...process.env, ...options.env, DOCKER_HOST: this.host, DOCKER_BUILDKIT: '0' } };
  }
}

/** Docker's own JSON, as wide as the engine makes it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Inspected = Record<string, any>;

/**
 * Path of a docker command line that has the compose plugin; null when there is none. The distribution's own comes
 * first: another `docker` on the PATH may be a bare client.
 */
export async function findDockerCli(): Promise<string | null> {
  for (const path of ['/usr/bin/docker', '/usr/local/bin/docker', 'docker']) {
    if (path.startsWith('/') && !existsSync(path)) continue;
    const answer = await attempt(path, ['compose', 'version']).catch(() => null);
    if (answer?.code === 0) return path;
  }
  return null;
}
