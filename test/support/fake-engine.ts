import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ContainerInspect, CreateRequest, ImageInspect, RestartPolicy } from '../../src/domain/engine-inspect';
import { codeOf, EngineError, type ErrorCode } from '../../src/domain/errors';
import type {
  ContainerAction,
  ContainerEvent,
  Engine,
  EngineVersion,
  ExecOptions,
  ExecResult,
  ListedContainer,
  ListedImage,
  PullProgress,
} from '../../src/ports/engine';
import type { LayerChange, PathStat } from '../../src/domain/recreate/layer';
import { requestOf } from './fake-engine-create';
import { changesOf, statOf, tarOf, untarInto } from './fake-engine-files';
import { familiar } from './fake-engine-images';
import { FakeHost } from './fake-engine-host';
import type { ContainerSpec, FakeContainer, FakeFiles, FakeImage, ImageSpec, Outcome } from './fake-engine-types';
import type { TestClock } from './test-clock';

export type Method = Exclude<keyof Engine, 'address'>;

/** One call of the transcript. `line` is for reading: `stop web`, with names instead of ids as they were at the time. */
export interface Call {
  method: Method;
  args: unknown[];
  line: string;
  at: Date;
  outcome: ErrorCode | 'ok' | 'pending';
}

type Hook = (call: Call) => void | Promise<void>;
interface Trap {
  matches: (call: Call, number: number) => boolean;
  when: 'before' | 'after';
  hook: Hook;
  once: boolean;
}

const READS: Method[] = [
  'version',
  'containerIds',
  'containers',
  'images',
  'inspectContainer',
  'inspectImage',
  'registryDigest',
  'logs',
  'events',
  'changes',
  'stat',
];
const CAPTURE_BYTES = 64 * 1024;

/**
 * An engine in memory that keeps the same promises as the real one (test/contract/engine.contract.ts is run on both).
 * One instance is one process under test: after `crashAt`, `afterRestart()` gives the next process on the same host.
 */
export class FakeEngine implements Engine {
  readonly transcript: Call[];
  address: Engine['address'] = null;
  #reachable = true;
  #traps: Trap[] = [];
  isDead = false;
  #calls = 0;

  constructor(
    readonly clock: TestClock,
    readonly host = new FakeHost(clock),
    transcript: Call[] = [],
  ) {
    this.transcript = transcript;
  }

  /** False: every call rejects with `engine_unreachable`, and so do the events that are listened to. */
  get reachable(): boolean {
    return this.#reachable;
  }
  set reachable(reachable: boolean) {
    this.#reachable = reachable;
    if (!reachable) this.host.events.cut();
  }

  // Setting the scene

  /** An image that is on the engine under its tag, and in the registry. */
  addImage({ reference, ...spec }: ImageSpec & { reference: string }): FakeImage {
    return this.host.images.add(reference, spec);
  }

  /** Moves the registry's tag to a new image; the engine has not got it yet. */
  publish(reference: string, spec: ImageSpec = {}): FakeImage {
    return this.host.images.publish(reference, spec);
  }

  /** What the registry beside it lists; no call of the engine. */
  registryTags(reference: string): Promise<string[]> {
    return Promise.resolve().then(() => this.host.images.published(reference));
  }

  addNetwork(name: string): void {
    this.host.networks.add(name);
  }

  /** Creates and starts a container without a trace in the transcript; answers its id. */
  runContainer(spec: ContainerSpec): string {
    for (const network of spec.networks ?? []) this.host.networks.add(network);
    const container = this.host.create(spec.name, requestOf(spec));
    if (!spec.stopped) this.host.start(container);
    return container.inspect.Id;
  }

  /** A fault at the next call of a method, before it has any effect. */
  failNext(method: Method, error: Error): void {
    this.onCall(
      method,
      () => {
        throw error;
      },
      { once: true },
    );
  }

  /** Runs a hook at the nth call of this process (from 1) or at each call of a method. What it throws, the call rejects with. */
  onCall(which: number | Method, hook: Hook, options: { when?: 'before' | 'after'; once?: boolean } = {}): void {
    const matches = (call: Call, number: number): boolean =>
      typeof which === 'number' ? number === which : call.method === which;
    this.#traps.push({ matches, hook, when: options.when ?? 'before', once: options.once ?? false });
  }

  /**
   * The process dies at its nth call, before or after its effect: this call and all later ones never settle, as no code of
   * a dead process runs. Resolves when that moment has come.
   */
  crashAt(which: number | Method, when: 'before' | 'after'): Promise<void> {
    return new Promise((resolve) => {
      this.onCall(which, () => (resolve(), this.die()), { when, once: true });
    });
  }

  die(): Promise<never> {
    this.isDead = true;
    return forever();
  }

  /** The next process on the same engine; the transcript goes on. */
  afterRestart(): FakeEngine {
    return new FakeEngine(this.clock, this.host, this.transcript);
  }

  // Looking at the result

  /** How many calls this process has made: the k of a crash table. */
  get callCount(): number {
    return this.#calls;
  }

  /** The transcript's lines; those that only read are left out unless asked for. */
  lines(options: { reads?: boolean } = {}): string[] {
    return this.transcript.filter((call) => options.reads || !READS.includes(call.method)).map((call) => call.line);
  }

  /** Names of all containers, running or not. */
  containerNames(): string[] {
    return [...this.host.containers.values()].map(({ inspect }) => inspect.Name.slice(1)).sort();
  }

  container(nameOrId: string): ContainerInspect {
    return this.host.inspect(this.host.find(nameOrId));
  }

  isRunning(nameOrId: string): boolean {
    return this.container(nameOrId).State.Running;
  }

  /** Image id that a local tag names, or null. */
  tagged(reference: string): string | null {
    return this.host.images.tags.get(familiar(reference)) ?? null;
  }

  files(nameOrId: string): FakeFiles {
    return this.host.files(this.host.find(nameOrId));
  }

  // The port

  version(): Promise<EngineVersion> {
    return this.#call('version', [], () => ({ engine: 'fake', api: '1.45', os: 'linux', architecture: 'amd64' }));
  }
  containerIds(): Promise<string[]> {
    return this.#call('containerIds', [], () => [...this.host.containers.keys()]);
  }
  containers(): Promise<ListedContainer[]> {
    return this.#call('containers', [], () => [...this.host.containers.values()].map((one) => this.host.listed(one)));
  }
  images(): Promise<ListedImage[]> {
    return this.#call('images', [], () => this.host.images.listed());
  }
  inspectContainer(nameOrId: string): Promise<ContainerInspect> {
    return this.#call('inspectContainer', [nameOrId], () => this.container(nameOrId));
  }
  inspectImage(reference: string): Promise<ImageInspect> {
    return this.#call('inspectImage', [reference], () => this.host.images.inspect(reference));
  }
  registryDigest(reference: string): Promise<string> {
    return this.#call('registryDigest', [reference], () => this.host.images.registryDigest(reference));
  }
  pull(digestReference: string, onProgress: (progress: PullProgress) => void, platform?: string): Promise<string> {
    return this.#call('pull', [digestReference, platform], () => {
      const image = this.host.images.pull(digestReference, platform);
      for (const currentBytes of [5e6, 1e7]) onProgress({ currentBytes, totalBytes: 1e7 });
      return image.id;
    });
  }
  tag(imageId: string, reference: string): Promise<void> {
    return this.#call('tag', [imageId, reference], () => this.host.images.tag(imageId, reference));
  }
  untag(reference: string): Promise<void> {
    return this.#call('untag', [reference], () => void this.host.images.tags.delete(familiar(reference)));
  }
  removeImage(imageId: string): Promise<void> {
    return this.#call('removeImage', [imageId], () => this.host.removeImage(imageId));
  }
  createContainer(name: string, request: CreateRequest): Promise<string> {
    return this.#call('createContainer', [name, request], () => this.host.create(name, request).inspect.Id);
  }
  rename(id: string, name: string): Promise<void> {
    return this.#call('rename', [id, name], () => this.host.rename(this.host.find(id), name));
  }
  updateContainer(id: string, { RestartPolicy }: { RestartPolicy: RestartPolicy }): Promise<void> {
    return this.#call('updateContainer', [id, RestartPolicy.Name], () =>
      this.host.update(this.host.find(id), RestartPolicy),
    );
  }
  start(id: string): Promise<void> {
    return this.#call('start', [id], () => this.host.start(this.host.find(id)));
  }
  stop(id: string, timeoutSeconds?: number): Promise<void> {
    return this.#call('stop', [id, timeoutSeconds], () => this.host.stop(this.host.find(id)));
  }
  remove(id: string, also = { volumes: false }): Promise<void> {
    return this.#call('remove', [id], () => {
      if (this.host.containers.has(id)) this.host.remove(id, also.volumes);
    });
  }
  restart(id: string, timeoutSeconds?: number): Promise<void> {
    return this.#call('restart', [id, timeoutSeconds], () => {
      const container = this.host.find(id);
      this.host.stop(container);
      this.host.start(container);
    });
  }
  wait(id: string, signal?: AbortSignal): Promise<number> {
    return this.#call('wait', [id], () => this.#end(this.host.find(id), signal));
  }
  events(actions: readonly ContainerAction[], signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>> {
    return this.#call('events', [actions], () => this.host.events.listen(actions, signal));
  }
  logs(id: string, lines: number, since = ''): Promise<string[]> {
    return this.#call('logs', [id, lines], () => {
      const container = this.host.find(id);
      if (Date.parse(since) > container.startedAt) return [];
      const { stdout = '', stderr = '' } = container.main ?? {};
      const scripted = `${stdout.toString()}\n${stderr}`.split('\n').filter(Boolean);
      return [...(container.image.spec.logs ?? []), ...scripted].slice(-lines);
    });
  }
  exec(id: string, command: string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.#call('exec', [id, command], () => this.#exec(id, command, Buffer.alloc(0), options));
  }
  execOutput(id: string, command: string[], options: ExecOptions = {}): Promise<Readable> {
    return this.#call('execOutput', [id, command], async () => {
      const { exitCode, stdout, stderr } = await this.#outcome(id, command, Buffer.alloc(0), options);
      return Readable.from(outputOf(Buffer.from(stdout), exitCode, command, stderr), { objectMode: false });
    });
  }
  execInput(id: string, command: string[], input: Readable, options: ExecOptions = {}): Promise<ExecResult> {
    return this.#call('execInput', [id, command], async () => this.#exec(id, command, await buffer(input), options));
  }
  changes(id: string): Promise<LayerChange[]> {
    return this.#call('changes', [id], () => changesOf(this.host.find(id)));
  }
  stat(id: string, path: string): Promise<PathStat | null> {
    return this.#call('stat', [id, path], () => statOf(this.files(id), path));
  }
  archive(id: string, path: string): Promise<Readable> {
    return this.#call('archive', [id, path], () => tarOf(this.files(id), path));
  }
  extract(id: string, folder: string, tar: Readable): Promise<void> {
    return this.#call('extract', [id, folder], () => untarInto(this.files(id), folder, tar));
  }

  async #call<T>(method: Method, args: unknown[], effect: () => T | Promise<T>): Promise<T> {
    if (this.isDead) return forever();
    const number = ++this.#calls;
    const call: Call = { method, args, line: this.#lineOf(method, args), at: this.clock.now(), outcome: 'pending' };
    this.transcript.push(call);
    try {
      await Promise.resolve();
      await this.#spring('before', call, number);
      if (!this.reachable)
        throw new EngineError('engine_unreachable', 'The Docker Engine does not answer. Is it running?');
      const result = await effect();
      await this.#spring('after', call, number);
      call.outcome = 'ok';
      return result;
    } catch (error) {
      call.outcome = codeOf(error);
      throw error;
    }
  }

  async #spring(when: Trap['when'], call: Call, number: number): Promise<void> {
    const due = this.#traps.filter((trap) => trap.when === when && trap.matches(call, number));
    this.#traps = this.#traps.filter((trap) => !(trap.once && due.includes(trap)));
    for (const trap of due) await trap.hook(call);
  }

  #lineOf(method: Method, args: unknown[]): string {
    const words = args.flatMap((arg) => {
      if (typeof arg === 'string') return [this.host.containers.get(arg)?.inspect.Name.slice(1) ?? arg];
      return Array.isArray(arg) ? [arg.join(' ')] : [];
    });
    return [method, ...words].join(' ');
  }

  #running(id: string): FakeContainer {
    const container = this.host.find(id);
    if (!this.host.state(container).Running) {
      throw new EngineError(
        'engine_refused',
        `Container ${container.inspect.Name.slice(1)} is not running. Start it first.`,
      );
    }
    return container;
  }

  async #outcome(id: string, command: string[], stdin: Buffer, options: ExecOptions): Promise<Required<Outcome>> {
    options.signal?.throwIfAborted();
    const outcome = this.host.run(this.#running(id), command, stdin, options.env);
    return outcome.hangs ? untilAborted(options.signal) : outcome;
  }

  async #exec(id: string, command: string[], stdin: Buffer, options: ExecOptions): Promise<ExecResult> {
    const { exitCode, stdout, stderr } = await this.#outcome(id, command, stdin, options);
    const captured = (text: string | Buffer): string => Buffer.from(text).subarray(-CAPTURE_BYTES).toString();
    return { exitCode, stdout: captured(stdout), stderr: captured(stderr) };
  }

  /** A process that ends by itself is waited for on the test clock, one that stays until somebody stops it. */
  async #end(container: FakeContainer, signal?: AbortSignal): Promise<number> {
    const end = this.host.endsAfter(container);
    if (!this.host.state(container).Running) return this.host.state(container).ExitCode;
    if (end) {
      await this.clock.sleep(end.ms, signal);
      return end.exitCode;
    }
    return Promise.race([
      new Promise<number>((resolve) => container.waiters.push(resolve)),
      untilAborted<number>(signal),
    ]);
  }
}

async function* outputOf(content: Buffer, exitCode: number, command: string[], stderr: string): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 32_768) yield content.subarray(at, at + 32_768);
  await Promise.resolve();
  if (exitCode !== 0) throw new EngineError('exec_failed', `${command[0]} ended with ${exitCode}: ${stderr}`);
}

function forever<T>(): Promise<T> {
  return new Promise(() => undefined);
}

function untilAborted<T>(signal?: AbortSignal): Promise<T> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
