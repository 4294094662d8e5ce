import type { Update } from '../../src/domain/update';
import type { FakeEngine } from '../support/fake-engine';
import { familiar } from '../support/fake-engine-images';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import type { Happened } from './happened';
import { bearerOf } from './outsider';
import type { Service, World } from './world';

type Must = (is: boolean, what: string) => void;

/** What holds of containers that share a tag or a repository: the update of one is not that of another. */
export class SiblingJudge {
  /** Which container had the name at the last quiet moment, and since when it ran. */
  readonly #were = new Map<string, { id: string; startedAt: number; startedTick: number }>();
  /** The image that a tag named when it was last right. */
  readonly #named = new Map<string, string>();
  /** The last backup and the last restore. */
  #copies = '';

  constructor(
    private readonly world: World,
    private readonly seen: { host: FakeHost; happened: Happened },
    private readonly scene: () => Scene,
    private readonly must: Must,
  ) {}

  watch(engine: FakeEngine): void {
    engine.onCall('removeImage', ({ args: [id] }) => this.#beforeImageRemoval(String(id)));
  }

  /** `ended`: since the last quiet moment. */
  atRest(ended: readonly Update[]): void {
    const { backups, restores } = this.scene().store;
    const copies = [...backups.list(1), ...restores.list(1)].map(({ id }) => id).join();
    const isCopied = copies !== this.#copies;
    this.#copies = copies;
    for (const service of this.world.services) this.#staysAsItIs(service, ended, isCopied);
  }

  #staysAsItIs({ spec, role }: Service, ended: readonly Update[], isCopied: boolean): void {
    const { host, happened } = this.seen;
    const was = this.#were.get(spec.name);
    const bearer = bearerOf(host, spec.name);
    if (bearer === undefined) return void this.#were.delete(spec.name);
    const { inspect, startedAt, startedTick } = bearer;
    this.#were.set(spec.name, { id: inspect.Id, startedAt, startedTick });
    const begun = ended.filter(({ startedAt }) => startedAt !== null);
    const isOwn = begun.some(({ container }) => container === spec.name);
    if (was === undefined || isOwn || happened.faults > 0 || happened.touched.has(spec.name)) return;
    this.must(was.id === inspect.Id, `${spec.name} was replaced without an update of it`);
    // Who writes to a set is stopped for its backup and for a restore.
    const mayWrite = spec.volumes !== undefined || role !== undefined;
    const project = spec.labels?.['com.docker.compose.project'] ?? null;
    const isForSet = mayWrite && (isCopied || begun.some((update) => update.project === project));
    // After a clock was set back, a guest seems to have started before the owner of its network: it must join that again.
    const owner = host.containers.get(inspect.HostConfig.NetworkMode.replace(/^container:/, ''));
    const isRejoined = owner !== undefined && was.startedAt < owner.startedAt;
    this.must(
      was.startedTick === startedTick || isForSet || isRejoined,
      `${spec.name} was stopped without an update of it`,
    );
  }

  /** While containers of one tag run different images, it names that of one of them, or that of the last update with it (docs/adr/0005-rules.md). */
  tagAtRest({ spec }: Service, { inspect }: FakeContainer): void {
    const { host, happened } = this.seen;
    const reference = familiar(inspect.Config.Image);
    const isKnown = reference === spec.image || this.#wasMovedTo(spec.name, reference);
    this.must(isKnown, `${spec.name} follows the tag ${reference}, to which nobody moved it`);
    const tagged = host.images.tags.get(reference);
    const owners = this.world.services.filter((each) => each.spec.image === reference).map((each) => each.spec.name);
    const runs = this.#followers(reference).map((each) => each.inspect.Image);
    if (tagged !== undefined && runs.includes(tagged)) {
      this.#named.set(reference, tagged);
      for (const name of owners) happened.mayBeTagged.delete(name);
      return;
    }
    const isShared = new Set([...owners, spec.name]).size > 1;
    const isLeft = isShared && tagged !== undefined && this.#named.get(reference) === tagged;
    const isTheirs = owners.some((name) => happened.mayBeTagged.has(name));
    this.must(isLeft || isTheirs, `the tag ${reference} does not name what ${spec.name} runs`);
  }

  #followers(reference: string): FakeContainer[] {
    return this.world.services.flatMap(({ spec }) => {
      const bearer = bearerOf(this.seen.host, spec.name);
      return bearer !== undefined && familiar(bearer.inspect.Config.Image) === reference ? [bearer] : [];
    });
  }

  #wasMovedTo(name: string, reference: string): boolean {
    const own = this.scene()
      .updates()
      .filter(({ container, startedAt }) => container === name && startedAt !== null);
    return own.some(({ to, from }) => [to, from].some((at) => at !== null && familiar(at.reference) === reference));
  }

  /** `update.keep-images` takes away only what an update replaced, and what no container needs. */
  #beforeImageRemoval(id: string): void {
    const { host, happened } = this.seen;
    const { updates } = this.scene().store;
    const was = (update: Update): boolean => happened.image(update.from?.digest)?.id === id;
    const isReplaced = this.scene()
      .updates()
      .some((update) => update.startedAt !== null && was(update));
    this.must(isReplaced, 'an image is removed that no update replaced');
    const isNeeded = updates.withStatus('running').some((update) => updates.journal(update.id)?.oldImageId === id);
    this.must(!isNeeded, 'an image is removed to which an update may have to go back');
    for (const { spec } of this.world.services) {
      const bearer = bearerOf(host, spec.name);
      const follows = bearer && familiar(bearer.inspect.Config.Image);
      const isNamed = follows !== undefined && host.images.tags.get(follows) === id;
      this.must(!isNamed, `an image is removed that the tag of ${spec.name} names`);
    }
  }
}
