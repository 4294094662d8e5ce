import type { ContainerInspect, CreateRequest, RestartPolicy } from '../../src/domain/engine-inspect';
import { EngineError, messageOf } from '../../src/domain/errors';
import type { ListedContainer } from '../../src/ports/engine';
import { createdInspect } from './fake-engine-create';
import { FakeEvents } from './fake-engine-events';
import { filesOf, type Volumes } from './fake-engine-files';
import { FakeImages, hex } from './fake-engine-images';
import { restartsAt, runScript, scriptFor, stateAt, type MainProcess } from './fake-engine-process';
import type { FakeContainer, FakeFiles, FakeImage, Outcome } from './fake-engine-types';
import { plainCopy } from './plain-copy';
import type { TestClock } from './test-clock';

/** The engine's state: containers, images, volumes, networks. What outlives a crash of the process under test. */
export class FakeHost {
  readonly images = new FakeImages();
  readonly containers = new Map<string, FakeContainer>();
  readonly volumes: Volumes = new Map();
  readonly networks = new Set(['bridge', 'host', 'none']);
  readonly events = new FakeEvents();
  /** As Engine 28 and later: a container that runs has a random MAC address in each network, unless one was requested. */
  generatesMacs = false;
  readonly #anonymous = new Set<string>();
  readonly #requestedMacs = new Map<ContainerInspect, Map<string, string>>();
  #made = 0;

  constructor(private readonly clock: TestClock) {}

  private readonly now = (): number => this.clock.now().getTime();

  find(nameOrId: string): FakeContainer {
    const all = [...this.containers.values()];
    const found =
      this.containers.get(nameOrId) ??
      all.find(({ inspect }) => inspect.Name === `/${nameOrId.replace(/^\//, '')}`) ??
      all.find(({ inspect }) => /^[0-9a-f]{6,}$/.test(nameOrId) && inspect.Id.startsWith(nameOrId));
    if (!found) throw new EngineError('container_not_found', `No such container: ${nameOrId}`);
    return found;
  }

  create(name: string, request: CreateRequest): FakeContainer {
    const image = this.images.find(request.body.Image);
    requirePlatform(image, request);
    this.requireFreeName(name);
    for (const { network } of request.connect) this.requireJoinable(network);
    requireNoNetworkOfItsOwn(request);
    const id = hex(`container ${++this.#made}`);
    const inherited = (request.body.HostConfig.VolumesFrom ?? []).flatMap(
      (from) => this.find(from.split(':')[0] ?? '').inspect.Mounts,
    );
    const newVolume = (): string => {
      const name = hex(`volume ${++this.#made}`);
      this.#anonymous.add(name);
      return name;
    };
    const inspect = createdInspect({ id, name, created: new Date(this.now()), image, request, inherited, newVolume });
    const own = new Map(Object.entries(image.spec.files ?? {}).map(([path, text]) => [path, Buffer.from(text)]));
    for (const mount of inspect.Mounts)
      if (mount.Name && !this.volumes.has(mount.Name)) this.volumes.set(mount.Name, new Map());
    const times = { startedAt: 0, startedTick: 0, finishedAt: 0, exitCode: 0, stoppedByCall: false };
    const container: FakeContainer = {
      inspect,
      image,
      phase: 'created',
      ...times,
      own,
      meta: new Map(),
      waiters: [],
    };
    this.containers.set(id, container);
    const asked = Object.entries(inspect.NetworkSettings.Networks).map(
      ([network, { MacAddress = '' }]) => [network, MacAddress] as const,
    );
    this.#requestedMacs.set(inspect, new Map(asked));
    return container;
  }

  start(container: FakeContainer): void {
    if (this.state(container).Running) return;
    this.requireStartable(container);
    Object.assign(container, {
      phase: 'started',
      startedAt: this.now(),
      startedTick: this.clock.tick(),
      finishedAt: 0,
      exitCode: 0,
      stoppedByCall: false,
      paused: false,
    });
    container.main = this.runMain(container);
    this.events.tell({ action: 'start', containerId: container.inspect.Id });
    const requested = this.#requestedMacs.get(container.inspect);
    for (const [index, [network, settings]] of Object.entries(container.inspect.NetworkSettings.Networks).entries()) {
      settings.IPAddress = settings.IPAMConfig?.IPv4Address ?? `172.${18 + index}.0.${2 + this.containers.size}`;
      settings.MacAddress = requested?.get(network) || (this.generatesMacs ? this.randomMac() : '');
    }
  }

  /** Why not is written down as the state's error. */
  private requireStartable(container: FakeContainer): void {
    const mode = container.inspect.HostConfig.NetworkMode;
    try {
      for (const network of Object.keys(container.inspect.NetworkSettings.Networks)) this.requireNetwork(network);
      if (mode.startsWith('container:')) this.joinNetworkOf(mode.slice('container:'.length));
      this.requireProgram(container);
      this.requireFreePorts(container);
      this.requireFreeAddresses(container);
    } catch (error) {
      container.startError = messageOf(error);
      throw error;
    }
    container.startError = '';
  }

  /** An image has every program but a shell, unless it has a script for that, and those below `/missing`. */
  private requireProgram(container: FakeContainer): void {
    const command = this.command(container);
    const [program = ''] = command;
    const isScripted = scriptFor(container.image.spec.scripts ?? {}, command) !== undefined;
    if (isScripted || (program !== '/bin/sh' && !program.startsWith('/missing/'))) return;
    throw new EngineError('engine_refused', `exec: "${program}": stat ${program}: no such file or directory: unknown`);
  }

  private randomMac(): string {
    return `be:5d:00:00:00:${(++this.#made).toString(16).padStart(2, '0')}`;
  }

  stop(container: FakeContainer, exitCode = this.stopCode(container), stoppedByCall = true): void {
    if (!this.state(container).Running) return;
    Object.assign(container, { phase: 'stopped', finishedAt: this.now(), exitCode, stoppedByCall });
    for (const settings of Object.values(container.inspect.NetworkSettings.Networks))
      Object.assign(settings, { IPAddress: '', MacAddress: '' });
    for (const done of container.waiters.splice(0)) done(exitCode);
    this.events.tell({ action: 'die', containerId: container.inspect.Id });
    if (container.inspect.HostConfig.AutoRemove) this.containers.delete(container.inspect.Id);
  }

  /** `docker pause` and `docker unpause`. */
  pause(container: FakeContainer, paused = true): void {
    container.paused = paused;
  }

  update(container: FakeContainer, RestartPolicy: RestartPolicy): void {
    const never = !RestartPolicy.Name || RestartPolicy.Name === 'no';
    if (container.inspect.HostConfig.AutoRemove && !never) {
      throw new EngineError('engine_refused', 'Restart policy cannot be updated because AutoRemove is enabled');
    }
    const { Name, MaximumRetryCount = 0 } = RestartPolicy;
    container.inspect.HostConfig.RestartPolicy = { Name, MaximumRetryCount };
  }

  /**
   * The daemon goes and comes back: all that run end, gracefully or with 137, and those are started again whose policy says
   * so, also where they were stopped before (moby, restartmanager; one never started is left alone).
   */
  restartDaemon(how: 'SIGTERM' | 'SIGKILL'): void {
    this.events.cut();
    for (const container of [...this.containers.values()]) {
      this.stop(container, how === 'SIGKILL' ? 137 : this.stopCode(container), false);
    }
    for (const container of this.containers.values()) {
      if (!startsWithDaemon(container, this.state(container).ExitCode)) continue;
      try {
        this.start(container);
      } catch {
        // Its state says why.
      }
    }
  }

  private stopCode(container: FakeContainer): number {
    return container.image.spec.stopCode?.(this.command(container)) ?? 0;
  }

  remove(nameOrId: string, anonymousVolumes = false): void {
    const container = this.find(nameOrId);
    if (this.state(container).Running) {
      throw new EngineError('engine_refused', 'The container runs and cannot be removed. Stop it first.');
    }
    this.containers.delete(container.inspect.Id);
    if (!anonymousVolumes) return;
    const { Binds, Mounts } = container.inspect.HostConfig;
    const asked = new Set([...(Binds ?? []).map((bind) => bind.split(':')[0]), ...(Mounts ?? []).map((m) => m.Source)]);
    const used = new Set(
      [...this.containers.values()].flatMap(({ inspect }) => inspect.Mounts.map(({ Name }) => Name)),
    );
    for (const { Name = '' } of container.inspect.Mounts)
      if (this.#anonymous.has(Name) && !asked.has(Name) && !used.has(Name)) this.volumes.delete(Name);
  }

  /** By its ID, as the engine: not while a container uses it, nor with more than one name of a repository. */
  removeImage(imageId: string): void {
    const used = [...this.containers.values()].find(({ inspect }) => inspect.Image === imageId);
    if (used !== undefined) {
      throw new EngineError(
        'engine_refused',
        `conflict: unable to delete, image is being used by ${used.inspect.Name}`,
      );
    }
    this.images.remove(imageId);
  }

  rename(container: FakeContainer, name: string): void {
    this.requireFreeName(name);
    if (this.state(container).Restarting) throw new EngineError('engine_refused', 'sandbox not found');
    container.inspect.Name = `/${name}`;
  }

  inspect(container: FakeContainer): ContainerInspect {
    const restarts = restartsAt(container, this.mainProcess(container), this.clock.tick());
    return plainCopy({ ...container.inspect, State: this.state(container), RestartCount: restarts });
  }

  listed(container: FakeContainer): ListedContainer {
    const { Id, Name, NetworkSettings } = container.inspect;
    const { Running: running, Status: status } = this.state(container);
    return { id: Id, name: Name.slice(1), running, status, networks: plainCopy(NetworkSettings.Networks) };
  }

  state(container: FakeContainer): ContainerInspect['State'] {
    return stateAt(container, this.mainProcess(container), { now: this.now(), tick: this.clock.tick() });
  }

  files(container: FakeContainer): FakeFiles {
    return filesOf(container, this.volumes, this.now);
  }

  command(container: FakeContainer): string[] {
    return [...(container.inspect.Config.Entrypoint ?? []), ...(container.inspect.Config.Cmd ?? [])];
  }

  /** Runs the image's script for a command. */
  run(container: FakeContainer, command: string[], stdin: Buffer, env: string[] = []): Required<Outcome> {
    const { inspect, image } = container;
    const all = [...(inspect.Config.Env ?? []), ...env];
    return runScript(image.spec.scripts ?? {}, {
      command,
      stdin,
      env: all,
      container: inspect,
      files: this.files(container),
    });
  }

  /** A main process that has a script is a one-off and ends at once; else the image's behaviour says how it goes. */
  private mainProcess(container: FakeContainer): MainProcess {
    const { health, lastsMs = 60_000 } = container.image.spec;
    if (container.main?.hangs === true) return { kind: 'stays' };
    if (container.main) return { kind: 'ends', afterMs: 0, exitCode: container.main.exitCode };
    if (health === 'exits') return { kind: 'ends', afterMs: 0, exitCode: 1 };
    if (health === 'dies') return { kind: 'ends', afterMs: lastsMs, exitCode: 1 };
    return health === 'crash-loop' ? { kind: 'ends', afterMs: 500, exitCode: 1 } : { kind: 'stays' };
  }

  /** Waits for the end of the main process: for null until somebody stops it, else so many milliseconds. */
  endsAfter(container: FakeContainer): { ms: number; exitCode: number } | null {
    const main = this.mainProcess(container);
    return main.kind === 'ends' ? { ms: main.afterMs, exitCode: main.exitCode } : null;
  }

  private runMain(container: FakeContainer): Required<Outcome> | undefined {
    const command = this.command(container);
    const isScripted = scriptFor(container.image.spec.scripts ?? {}, command) !== undefined;
    return isScripted ? this.run(container, command, Buffer.alloc(0)) : undefined;
  }

  private joinNetworkOf(nameOrId: string): void {
    const owner = [...this.containers.values()].find(({ inspect: { Id, Name } }) => [Id, Name].includes(nameOrId));
    if (owner && this.state(owner).Running) return;
    const why = owner
      ? `cannot join network of a non running container: ${owner.inspect.Id}`
      : `No such container: ${nameOrId}`;
    throw new EngineError('engine_refused', why);
  }

  private requireFreeName(name: string): void {
    if ([...this.containers.values()].some(({ inspect }) => inspect.Name === `/${name}`)) {
      throw new EngineError('name_taken', `The container name "/${name}" is already in use`);
    }
  }

  private requireJoinable(network: string): void {
    if (network === 'host') throw new EngineError('engine_refused', 'container cannot be connected to host network');
    this.requireNetwork(network);
  }

  private requireNetwork(network: string): void {
    if (!this.networks.has(network)) throw new EngineError('engine_refused', `network ${network} not found`);
  }

  private requireFreePorts(container: FakeContainer): void {
    const taken = new Set(this.othersRunning(container).flatMap(({ inspect }) => hostPorts(inspect)));
    const clash = hostPorts(container.inspect).find((port) => taken.has(port));
    if (clash) throw new EngineError('engine_refused', `Bind for 0.0.0.0:${clash} failed: port is already allocated`);
  }

  private requireFreeAddresses(container: FakeContainer): void {
    const taken = new Set(this.othersRunning(container).flatMap(({ inspect }) => staticAddresses(inspect)));
    if (staticAddresses(container.inspect).some((address) => taken.has(address))) {
      throw new EngineError('engine_refused', 'Address already in use');
    }
  }

  private othersRunning(container: FakeContainer): FakeContainer[] {
    return [...this.containers.values()].filter((other) => other !== container && this.state(other).Running);
  }
}

function requirePlatform({ spec }: FakeImage, { platform, body }: CreateRequest): void {
  const actual = spec.platform ?? 'linux/amd64';
  if (platform === undefined || platform === actual) return;
  const what = `image with reference ${body.Image} was found but does not match the specified platform`;
  throw new EngineError('engine_refused', `${what}: wanted ${platform}, actual: ${actual}`);
}

/** In the namespace of another container (moby, runconfig/hostconfig_unix.go). */
function requireNoNetworkOfItsOwn({ body }: CreateRequest): void {
  if (!body.HostConfig.NetworkMode?.startsWith('container:')) return;
  const conflicts: [string, unknown][] = [
    ['port publishing', Object.keys(body.HostConfig.PortBindings ?? {})[0]],
    ['port exposing', Object.keys(body.ExposedPorts ?? {})[0]],
    ['hostname', body.Hostname],
  ];
  const conflict = conflicts.find(([, asked]) => Boolean(asked))?.[0];
  if (conflict)
    throw new EngineError('engine_refused', `conflicting options: ${conflict} and the container type network mode`);
}

/** A count of restarts is that of the run that ended, which the fake does not keep: the limit counts within one run. */
function startsWithDaemon({ inspect, phase, stoppedByCall }: FakeContainer, exitCode: number): boolean {
  if (phase === 'created') return false;
  const policy = inspect.HostConfig.RestartPolicy?.Name;
  if (policy === 'unless-stopped') return !stoppedByCall;
  return policy === 'always' || (policy === 'on-failure' && exitCode !== 0);
}

function hostPorts(inspect: ContainerInspect): string[] {
  const bindings = Object.values(inspect.HostConfig.PortBindings ?? {}) as ({ HostPort?: string }[] | null)[];
  return bindings.flatMap((list) => (list ?? []).map((binding) => binding.HostPort ?? '')).filter(Boolean);
}

function staticAddresses(inspect: ContainerInspect): string[] {
  return Object.entries(inspect.NetworkSettings.Networks).flatMap(([network, settings]) => {
    const address = settings.IPAMConfig?.IPv4Address;
    return address ? [`${network} ${address}`] : [];
  });
}
