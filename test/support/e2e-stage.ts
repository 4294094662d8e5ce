import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { composeProject, type ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import { openView } from '../lab/engine/view';
import { projectName, type Lab } from '../lab/lab';
import { connectLab } from '../lab/lab-environment';
import { startPilot, type Pilot, type PilotOptions } from '../lab/pilot';
import { composeYaml, type Service } from './e2e-services';

/**
 * What one file of end-to-end tests works with; all that it opened is closed after its last test. The names of its compose
 * projects are marked as its own, and its services and its Diun see nothing else on the engine: files run side by side, and
 * whoever sees a container acts on it.
 */
export interface Stage {
  readonly lab: Lab;
  /** The services are up when it resolves. */
  project(name: string, services: Record<string, Service>, more?: ProjectOptions): Promise<ComposeProject>;
  pilot(options?: PilotOptions): Promise<Pilot>;
  /** Closed before whatever was opened earlier. */
  closing(close: () => unknown): void;
  /** The same on another engine; what is opened there is closed with this. */
  on(lab: Lab): Stage;
  /** The same, where each diun-pilot sees nothing but this project of the file. */
  seeing(project: string): Promise<Stage>;
}

export interface ProjectOptions {
  files?: Record<string, string>;
  /** Top-level entries of the compose file, such as `networks` and `volumes`. */
  top?: object;
}

export function openStage(): Stage {
  let lab: Lab | null = null;
  const closers: (() => unknown)[] = [];
  const opened = (): Lab => {
    if (lab === null) throw new Error('the lab is connected before the first test, not while tests are described');
    return lab;
  };
  beforeAll(async () => {
    const shared = await connectLab();
    const id = `${shared.id}-${randomBytes(2).toString('hex')}`;
    lab = await seeingOnly({ ...shared, id }, projectName(id, ''), closers);
  });
  afterAll(async () => {
    const failures: unknown[] = [];
    for (const close of closers.reverse()) await Promise.resolve(close()).catch((error) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, `not all could be closed: ${failures.join('; ')}`);
  });
  return stageOf(opened, closers);
}

function stageOf(lab: () => Lab, closers: (() => unknown)[]): Stage {
  return {
    get lab() {
      return lab();
    },
    project: async (name, services, { files = {}, top = {} } = {}) => {
      const project = composeProject(lab(), name, composeYaml(services, top), files);
      closers.push(() => project.down());
      await project.up();
      return project;
    },
    pilot: async (options) => {
      const pilot = await startPilot(lab(), options);
      closers.push(() => pilot.stop());
      return pilot;
    },
    closing: (close) => void closers.push(close),
    on: (other) => stageOf(() => other, closers),
    seeing: async (project) => {
      const seen = await seeingOnly(lab(), project, closers);
      return stageOf(() => seen, closers);
    },
  };
}

async function seeingOnly(lab: Lab, projectPrefix: string, closers: (() => unknown)[]): Promise<Lab> {
  const view = await openView(lab.viewHost, join(lab.scratch('v'), 'view.sock'), { label: null, projectPrefix });
  closers.push(() => view.close());
  return { ...lab, viewHost: view.host };
}

/** Id of the image that a local reference names; null when there is none of that name. */
export async function imageNamed(lab: Lab, reference: string): Promise<string | null> {
  return ((await lab.docker.inspect('image', reference))?.['Id'] as string | undefined) ?? null;
}

/** Every container whose name begins with that of the project, whoever made it: one for a service is whole. */
export async function namesOf(lab: Lab, project: ComposeProject): Promise<string[]> {
  const list = ['ps', '--all', '--filter', `name=^${project.name}-`, '--format', '{{.Names}}'];
  return (await lab.docker.lines(list)).sort();
}

export function startedAt(container: Inspected): string {
  return String(container['State'].StartedAt);
}
