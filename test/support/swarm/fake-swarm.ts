import { EngineError } from '../../../src/domain/errors';
import { splitReference } from '../../../src/domain/images/image-reference';
import {
  type NodeInspect,
  type PublishedPort,
  replicasOf,
  type ServiceInspect,
  type ServiceSpec,
  type TaskInspect,
} from '../../../src/domain/services/swarm-inspect';
import { isAlive, isRunning } from '../../../src/domain/services/tasks';
import type { Swarm, SwarmRole } from '../../../src/ports/swarm';
import type { FakeEngine } from '../fake-engine';
import type { Behaviour, FakeImage } from '../fake-engine-types';
import { type FakeServiceSpec, type Held, imageOf, newTask, toldLate } from './fake-swarm-task';

export type { FakeServiceSpec } from './fake-swarm-task';

const ROLLOUT_MS = 3_000;
const HERE = 'node-here';
/** Those that fail later are good at first. */
const WORKS: readonly Behaviour[] = ['healthy', 'slow', 'dies', 'fades'];

/**
 * A Swarm as a small state machine: a rollout takes three seconds of the test clock, and then does what the health of its image
 * says, by the service's own failure action. Tasks on this node are containers of the fake engine.
 */
export class FakeSwarm implements Swarm {
  current: SwarmRole = { role: 'none' };
  /** Calls that change something: `update web nginx:2@sha256:…`, `rollback web`. */
  readonly lines: string[] = [];
  /** An image whose tasks find no node. */
  readonly unplaceable = new Set<string>();
  /** By the name of the node. */
  nodeLabels: Record<string, Record<string, string>> = {};
  /** How long a failed task is still told as starting after the rollout was paused for it, as the real Swarm does (ms). */
  failsLateMs = 0;
  /** Called in an update before and after its effect: a promise that never settles is the death of the process. */
  onUpdate: (when: 'before' | 'after') => unknown = () => undefined;
  /** How many calls this process has made: the k of a crash table. */
  callCount = 0;
  #crash: { at: number; when: 'before' | 'after'; then: () => void } | null = null;
  #outage: { at: number; when: 'before' | 'after' } | null = null;
  /** When that was; null: not yet. */
  cutAtMs: number | null = null;
  #services = new Map<string, Held>();
  /** Of IDs and versions, which are those of the Swarm whoever asks. */
  #made = { count: 0 };

  constructor(readonly engine: FakeEngine) {}

  /** The process dies at its nth call, before or after its effect, for the engine, too. Resolves when that moment has come. */
  crashAt(at: number, when: 'before' | 'after'): Promise<void> {
    return new Promise((then) => (this.#crash = { at, when, then }));
  }

  /** The connection is cut at its nth call, before or after its effect; the next call has an answer again. */
  cutAt(at: number, when: 'before' | 'after'): void {
    this.#outage = { at, when };
  }

  /** The same Swarm, as the next process sees it. */
  afterRestart(engine: FakeEngine): FakeSwarm {
    const next = new FakeSwarm(engine);
    next.#services = this.#services;
    next.#made = this.#made;
    next.current = this.current;
    next.lines.push(...this.lines);
    for (const image of this.unplaceable) next.unplaceable.add(image);
    return next;
  }

  /** This engine is a manager from now on. */
  init(): void {
    this.current = { role: 'manager', nodeId: HERE };
  }

  addService(given: FakeServiceSpec): ServiceInspect {
    const { name, image, labels = {}, spec = {}, replicas = 1, node = HERE } = given;
    const { ContainerSpec: container, ...template } = spec.TaskTemplate ?? {};
    const inspect: ServiceInspect = {
      ID: `service${++this.#made.count}`,
      Version: { Index: ++this.#made.count },
      CreatedAt: this.#now(),
      UpdatedAt: this.#now(),
      Spec: {
        Name: name,
        Labels: labels,
        Mode: { Replicated: { Replicas: replicas } },
        ...spec,
        TaskTemplate: { ...template, ContainerSpec: { ...container, Image: image } },
      },
    };
    const held: Held = { inspect, tasks: [], node, madeFrom: '', dueAt: null };
    this.#services.set(inspect.ID, held);
    this.#replaceTasks(held);
    return inspect;
  }

  /** Another client gives the service another spec. */
  changeFromOutside(name: string, change: (spec: ServiceSpec) => ServiceSpec): void {
    const held = this.#find(name);
    held.inspect.Spec = change(held.inspect.Spec);
    held.inspect.Version.Index = ++this.#made.count;
  }

  /** `docker service rm`: its tasks end, with their containers. */
  remove(name: string): void {
    const held = this.#find(name);
    this.#endTasks(held);
    this.#services.delete(held.inspect.ID);
  }

  setStatus(name: string, status: ServiceInspect['UpdateStatus']): void {
    this.#find(name).inspect.UpdateStatus = status;
    this.#find(name).dueAt = null;
  }

  /** A node is drained or down: its tasks are started again elsewhere. */
  moveTasks(name: string): void {
    const held = this.#find(name);
    if (this.#works(held)) this.#replaceTasks(held);
    else this.#endTasks(held);
  }

  /** The processes of its tasks on this node end. */
  killTasks(name: string): void {
    for (const { Status } of this.#find(name).tasks.filter(isAlive)) {
      const container = this.engine.host.containers.get(Status.ContainerStatus?.ContainerID ?? '');
      if (container) this.engine.host.stop(container, 137, false);
    }
  }

  publishPort(name: string, port: PublishedPort): void {
    this.#find(name).inspect.Endpoint = { Ports: [port] };
  }

  role(): Promise<SwarmRole> {
    return this.#answer(() => this.current);
  }

  services(): Promise<ServiceInspect[]> {
    return this.#answer(() => this.#all().map(({ inspect }) => structuredClone(inspect)));
  }

  service(nameOrId: string): Promise<ServiceInspect> {
    return this.#answer(() => structuredClone(this.#advanced(this.#find(nameOrId)).inspect));
  }

  tasks(serviceId: string): Promise<TaskInspect[]> {
    return this.#answer(() => structuredClone(this.#advanced(this.#find(serviceId)).tasks));
  }

  nodes(): Promise<NodeInspect[]> {
    const names = [...new Set([HERE, ...this.#all().map(({ node }) => node)])];
    return this.#answer(() =>
      names.map((name) => ({
        ID: name,
        Description: { Hostname: name, Platform: { Architecture: 'x86_64', OS: 'linux' } },
        Status: { State: 'ready', Addr: '127.0.0.1' },
        Spec: { Availability: 'active', Labels: this.nodeLabels[name] ?? {} },
      })),
    );
  }

  rollOut(seen: Pick<ServiceInspect, 'ID' | 'Version'>, spec: ServiceSpec): Promise<void> {
    return this.update(seen, spec);
  }

  async update({ ID, Version }: Pick<ServiceInspect, 'ID' | 'Version'>, spec: ServiceSpec): Promise<void> {
    await this.onUpdate('before');
    await this.#answer(() => {
      const held = this.#current(ID, Version);
      const [from, to] = [replicasOf(held.inspect.Spec), replicasOf(spec)];
      const what = spec.TaskTemplate.ContainerSpec?.Image === imageOf(held.inspect.Spec) ? '' : ` ${imageOf(spec)}`;
      this.lines.push(`${from === to ? 'update' : `scale ${to}`} ${spec.Name}${what}`);
      held.inspect.PreviousSpec = held.inspect.Spec;
      held.inspect.Spec = structuredClone(spec);
      held.inspect.UpdateStatus = null;
      this.#begin(held);
    });
    await this.onUpdate('after');
  }

  rollBack({ ID, Version }: Pick<ServiceInspect, 'ID' | 'Version'>): Promise<void> {
    return this.#answer(() => {
      const held = this.#current(ID, Version);
      this.lines.push(`rollback ${held.inspect.Spec.Name}`);
      this.#toPrevious(held, 'manually requested rollback');
    });
  }

  #all(): Held[] {
    return [...this.#services.values()].map((held) => this.#advanced(held));
  }

  #find(nameOrId: string): Held {
    const found = [...this.#services.values()].find(({ inspect }) =>
      [inspect.ID, inspect.Spec.Name].includes(nameOrId),
    );
    if (!found) throw new EngineError('service_not_found', 'There is no such service: it was removed.');
    return found;
  }

  #current(id: string, version: { Index: number }): Held {
    const held = this.#find(id);
    if (held.inspect.Version.Index !== version.Index)
      throw new EngineError('changed_meanwhile', 'Another client updated the service at the same moment.');
    return held;
  }

  #begin(held: Held): void {
    held.inspect.Version.Index = ++this.#made.count;
    held.inspect.UpdatedAt = this.#now();
    held.dueAt = this.#tick() + ROLLOUT_MS;
  }

  #toPrevious(held: Held, message: string): void {
    const { Spec, PreviousSpec } = held.inspect;
    if (!PreviousSpec) throw new EngineError('engine_refused', 'service does not have a previous spec');
    held.inspect.Spec = PreviousSpec;
    held.inspect.PreviousSpec = Spec;
    held.inspect.UpdateStatus = { State: 'rollback_started', Message: message };
    this.#begin(held);
  }

  #advanced(held: Held): Held {
    for (const task of held.tasks.filter((each) => isAlive(each) && this.#hasEnded(each))) this.#restart(held, task);
    if (held.dueAt === null || this.#tick() < held.dueAt) return held;
    held.dueAt = null;
    const goesBack = held.inspect.UpdateStatus?.State === 'rollback_started';
    if (this.unplaceable.has(imageOf(held.inspect.Spec))) {
      held.tasks.push(this.#task(held, 'pending', { Err: 'no suitable node (1 node not available for new tasks)' }));
      held.inspect.UpdateStatus = { State: 'updating', Message: 'update in progress' };
      return held;
    }
    if (replicasOf(held.inspect.Spec) === 0) {
      this.#removeTasks(held);
      return held;
    }
    // Nothing is replaced, so there is no rollout with a state.
    const { PreviousSpec, UpdateStatus } = held.inspect;
    const scaledUp = UpdateStatus === null && !!PreviousSpec && replicasOf(PreviousSpec) === 0;
    const works = this.#works(held);
    const isReplaced = held.madeFrom !== JSON.stringify(held.inspect.Spec.TaskTemplate);
    if (works && isReplaced) this.#replaceTasks(held);
    else if (works) this.#fillSlots(held);
    else held.tasks.push(this.#failing(held));
    if (scaledUp || (!isReplaced && !goesBack)) return held;
    held.inspect.UpdateStatus = { State: goesBack ? 'rollback_completed' : 'completed', Message: 'completed' };
    if (works) return held;
    const action = held.inspect.Spec.UpdateConfig?.FailureAction ?? 'pause';
    const message = `update paused due to failure or early termination of task ${held.tasks.at(-1)?.ID}`;
    if (goesBack) held.inspect.UpdateStatus = { State: 'rollback_paused', Message: message };
    else if (action === 'pause') held.inspect.UpdateStatus = { State: 'paused', Message: message };
    else if (action === 'rollback') this.#toPrevious(held, message);
    else for (const task of held.tasks) task.DesiredState = 'shutdown';
    return held;
  }

  #failing(held: Held): TaskInspect {
    const fails = { State: 'failed', Err: 'task: non-zero exit (1)' } as const;
    const task = this.#task(held, 'failed', fails, 'shutdown');
    const at = this.#tick() + this.failsLateMs;
    return this.failsLateMs === 0 ? task : toldLate(task, () => this.#tick() >= at);
  }

  #works(held: Held): boolean {
    return WORKS.includes(this.#image(held).spec.health ?? 'healthy');
  }

  /** Its container on this node has ended, or its HEALTHCHECK fails. */
  #hasEnded({ Status }: TaskInspect): boolean {
    const container = this.engine.host.containers.get(Status.ContainerStatus?.ContainerID ?? '');
    if (container === undefined) return false;
    const { Running, Health } = this.engine.host.state(container);
    return !Running || Health?.Status === 'unhealthy';
  }

  /** Swarm starts another task from the spec of now. */
  #restart(held: Held, task: TaskInspect): void {
    const container = this.engine.host.containers.get(task.Status.ContainerStatus?.ContainerID ?? '');
    if (container) this.engine.host.stop(container, 1, false);
    task.DesiredState = 'shutdown';
    task.Status = { ...task.Status, State: 'failed', Err: 'task: non-zero exit (1)' };
    if (this.#works(held)) this.#startTask(held, task.Slot ?? 1);
  }

  /** Of a service that is scaled to 0: its tasks are gone, with their containers. */
  #removeTasks(held: Held): void {
    this.#endTasks(held);
    held.tasks = [];
  }

  #endTasks(held: Held, which: (task: TaskInspect) => boolean = () => true): void {
    for (const task of held.tasks.filter(which)) {
      const id = task.Status.ContainerStatus?.ContainerID;
      if (id) this.engine.host.containers.delete(id);
      task.DesiredState = 'shutdown';
      // One that ended stays as it ended.
      if (isAlive(task)) task.Status = { State: 'shutdown' };
    }
  }

  #replaceTasks(held: Held): void {
    this.#endTasks(held);
    held.madeFrom = JSON.stringify(held.inspect.Spec.TaskTemplate);
    this.#fillSlots(held);
  }

  /** As many tasks as it wants; those that run go on. */
  #fillSlots(held: Held): void {
    const replicas = replicasOf(held.inspect.Spec);
    const image = imageOf(held.inspect.Spec);
    this.#endTasks(held, (task) => (task.Slot ?? 1) > replicas || !isRunning(task, image));
    const alive = held.tasks.filter((task) => isRunning(task, image));
    for (let slot = 1; slot <= replicas; slot++)
      if (!alive.some(({ Slot }) => Slot === slot)) this.#startTask(held, slot);
  }

  #startTask(held: Held, slot: number): void {
    const task = this.#task(held, 'running', {}, 'running', slot);
    const name = `${held.inspect.Spec.Name}.${slot}.${task.ID}`;
    if (held.node === HERE) task.Status.ContainerStatus = { ContainerID: this.#run(held, name) };
    held.tasks.push(task);
  }

  #run(held: Held, name: string): string {
    const labels = { 'com.docker.swarm.task.id': name, 'com.docker.swarm.service.name': held.inspect.Spec.Name };
    const { Mounts, Env } = held.inspect.Spec.TaskTemplate.ContainerSpec ?? {};
    const volumes = Object.fromEntries((Mounts ?? []).map(({ Source = '', Target }) => [Source, Target]));
    return this.engine.runContainer({ name, image: this.#image(held).id, labels, volumes, env: Env ?? [] });
  }

  #task(
    { inspect, node }: Held,
    State: TaskInspect['Status']['State'],
    more: Partial<TaskInspect['Status']>,
    DesiredState = 'running',
    Slot = 1,
  ): TaskInspect {
    const task = newTask(inspect, { ID: `task${++this.#made.count}`, CreatedAt: this.#now(), State, ...more });
    return { ...task, Slot, DesiredState, ...(State === 'pending' ? {} : { NodeID: node }) };
  }

  /** On this node from now on, as a task pulls it. */
  #image(held: Held): FakeImage {
    const { name, digest } = splitReference(imageOf(held.inspect.Spec));
    return this.engine.host.images.pull(`${name}@${digest}`);
  }

  #now(): string {
    return this.engine.clock.now().toISOString();
  }

  #tick(): number {
    return this.engine.clock.tick();
  }

  async #answer<T>(answer: () => T): Promise<T> {
    const number = ++this.callCount;
    await Promise.resolve();
    if (this.engine.isDead) return this.engine.die();
    if (!this.engine.reachable) throw new EngineError('engine_unreachable', 'The Docker Engine does not answer.');
    if (this.#diesAt(number, 'before')) return this.engine.die();
    this.#mayBeCut(number, 'before');
    const answered = answer();
    this.#mayBeCut(number, 'after');
    return this.#diesAt(number, 'after') ? this.engine.die() : answered;
  }

  #mayBeCut(number: number, when: 'before' | 'after'): void {
    if (this.#outage?.at !== number || this.#outage.when !== when) return;
    this.cutAtMs = this.#tick();
    throw new EngineError('engine_unreachable', 'The connection was cut.');
  }

  #diesAt(number: number, when: 'before' | 'after'): boolean {
    if (this.#crash?.at !== number || this.#crash.when !== when) return false;
    this.#crash.then();
    return true;
  }
}
