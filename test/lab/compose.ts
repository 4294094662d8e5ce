import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Inspected } from './engine/docker-cli';
import { removeLeftovers } from './engine/leftovers';
import { projectName, type Lab } from './lab';

/** What one `docker compose up -d` did, by service. */
export interface ComposeUp {
  created: string[];
  recreated: string[];
  untouched: string[];
}

/**
 * A compose project of the lab, in a folder of its own. `files` lie beside the compose file (`conf/site.conf`), so that
 * it can mount them as `./conf`. Nothing runs before `up`.
 */
export function composeProject(
  lab: Lab,
  name: string,
  yaml: string,
  files: Record<string, string> = {},
): ComposeProject {
  const project = projectName(lab.id, `${name}-${randomBytes(2).toString('hex')}`);
  const dir = lab.scratch(name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return new ComposeProject(lab, project, dir, yaml);
}

export class ComposeProject {
  readonly file: string;
  /** Options of `docker compose` itself, for every call, such as a second `--file`. */
  options: readonly string[] = [];

  constructor(
    private readonly lab: Lab,
    /** The compose project's name, unique for every call. */
    readonly name: string,
    readonly dir: string,
    yaml: string,
  ) {
    this.file = join(dir, 'docker-compose.yml');
    this.write(yaml);
  }

  /** Edits the compose file, as an operator does; takes effect with the next `up`. */
  write(yaml: string): void {
    writeFileSync(this.file, yaml);
  }

  /** `docker compose up -d`, and which containers are others afterwards. */
  async up(...options: string[]): Promise<ComposeUp> {
    const before = await this.idsByService();
    await this.compose(['up', '--detach', '--quiet-pull', ...options]);
    const after = await this.idsByService();
    const services = [...after.keys()];
    return {
      created: services.filter((service) => !before.has(service)),
      recreated: services.filter((service) => before.has(service) && before.get(service) !== after.get(service)),
      untouched: services.filter((service) => before.get(service) === after.get(service)),
    };
  }

  /** Any other compose command in this project; returns what it printed. */
  compose(args: string[]): Promise<string> {
    const project = [
      '--project-name',
      this.name,
      '--project-directory',
      this.dir,
      '--file',
      this.file,
      ...this.options,
    ];
    return this.lab.docker.run(['compose', ...project, ...args]);
  }

  /** Inspect result of the service's container, running or not; throws when there is none. */
  async container(service: string): Promise<Inspected> {
    const id = (await this.idsByService()).get(service);
    const inspected = id ? await this.lab.docker.inspect('container', id) : null;
    if (!inspected) throw new Error(`project ${this.name} has no container of service ${service}`);
    return inspected;
  }

  /** The container's name without the slash. */
  async containerName(service: string): Promise<string> {
    return String((await this.container(service))['Name']).slice(1);
  }

  /** Where a published port of a service answers, `http://127.0.0.1:PORT`. */
  async url(service: string, port: number): Promise<string> {
    const bound = (await this.container(service))['NetworkSettings'].Ports[`${port}/tcp`]?.[0]?.HostPort;
    if (!bound) throw new Error(`service ${service} of ${this.name} publishes no port for ${port}`);
    return `http://127.0.0.1:${bound}`;
  }

  /** Standard output of a command inside the service's container; throws when it ends with another code than 0. */
  async exec(service: string, ...command: string[]): Promise<string> {
    const { Id } = await this.container(service);
    return this.lab.docker.run(['exec', String(Id), ...command]);
  }

  /** Every container of the project: name → id. An update in progress shows two for one service. */
  async containers(): Promise<Map<string, string>> {
    const rows = await this.rows('{{.Names}}\t{{.ID}}');
    return new Map(rows.map(([name = '', id = '']) => [name, id]));
  }

  /** Removes containers, volumes (anonymous ones that were handed on, too) and networks. */
  down(): Promise<void> {
    return removeLeftovers(this.lab.docker, { label: null, projectPrefix: this.name });
  }

  private async idsByService(): Promise<Map<string, string>> {
    const rows = await this.rows('{{.Label "com.docker.compose.service"}}\t{{.ID}}');
    return new Map(rows.map(([service = '', id = '']) => [service, id]));
  }

  private async rows(format: string): Promise<string[][]> {
    const filter = `label=com.docker.compose.project=${this.name}`;
    const list = ['ps', '--all', '--no-trunc', '--filter', filter, '--format', format];
    return (await this.lab.docker.lines(list)).map((line) => line.split('\t'));
  }
}
