import type { Soak } from '../../src/domain/soak/soak';
import type { Update } from '../../src/domain/update';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import { isGood, type Happened } from './happened';
import { bearerOf } from './outsider';

/** A look at a soak may come this late, when an update of another container is under way. */
const SEEN_WITHIN_MS = 5 * 60_000;

type Must = (is: boolean, what: string) => void;

/** What holds of the time after a success in which the old container is kept (`update.soak`). */
export class SoakJudge {
  /** As the store says it, whatever is done to that. */
  #open: () => Soak[] = () => [];

  constructor(
    private readonly host: FakeHost,
    private readonly happened: Happened,
    private readonly scene: () => Scene,
    private readonly must: Must,
  ) {}

  watch(): void {
    const { soaks } = this.scene().store;
    const [begin, change] = [soaks.begin.bind(soaks), soaks.change.bind(soaks)];
    this.#open = soaks.open.bind(soaks);
    soaks.begin = (soak) => {
      const observed = this.host.containers.get(soak.containerId);
      const runs = observed !== undefined && this.host.state(observed).Running;
      if (runs) this.happened.soakDisturbed.delete(soak.container);
      begin(soak);
    };
    soaks.change = (id, fields) => {
      const before = soaks.of(id);
      const after = change(id, fields);
      if (before !== null) this.#changed(before, after);
      return after;
    };
  }

  #changed(before: Soak, { status, failure, outcome, containerId, container }: Soak): void {
    const observed = this.host.containers.get(containerId);
    if (observed === undefined) return;
    if (before.failure === null && failure !== null)
      this.must(
        !isGood(observed) || this.happened.soakDisturbed.has(container),
        `a soak blames a good version of ${container}: ${failure.split('\n')[0]}`,
      );
    if (status === 'ended' && outcome?.includes('ended without a failure'))
      this.must(!this.#failsForLong(observed), `a soak of ${container} ended well, but the version fails`);
  }

  #failsForLong(container: FakeContainer): boolean {
    const { phase, paused, startedTick, image } = container;
    if (phase !== 'started' || paused === true || image.spec.lastsMs === undefined) return false;
    return this.scene().clock.tick() - startedTick > image.spec.lastsMs + SEEN_WITHIN_MS;
  }

  atRest(): void {
    const { store } = this.scene();
    for (const { status, container, updateId, oldContainerId } of this.#open()) {
      const update = store.updates.get(updateId);
      this.must(['watching', 'deciding'].includes(status), `a soak of ${container} is ${status} at rest`);
      this.must(update?.status === 'succeeded', `an update in its soak is ${update?.status}`);
      this.#saysWhatRan(oldContainerId, update, container);
      if (status !== 'deciding') continue;
      const mails = store.outbox
        .recent(500)
        .filter((mail) => mail.updateId === updateId && mail.kind === 'soak_failed');
      this.must(mails.length > 0, `no mail says that ${container} failed in its soak`);
      const old = this.host.containers.get(oldContainerId);
      const isKept = store.keptContainers.find(oldContainerId) !== null;
      this.must(old === undefined || isKept, `the old container of ${container} is not kept until the decision`);
    }
  }

  /** Both versions may have written to the same data, and the operator has to know. */
  #saysWhatRan(oldContainerId: string, update: Update | null, container: string): void {
    const bearer = bearerOf(this.host, container);
    if (!this.happened.startedInSoak.has(oldContainerId) || bearer === undefined) return;
    if (!this.host.state(bearer).Running || !this.host.containers.has(oldContainerId)) return;
    const isSaid = update?.reason.includes('was started externally next to') === true;
    this.must(isSaid, `no one says that the old container of ${container} ran in its soak`);
  }

  atEnd(): void {
    for (const { container, status } of this.#open())
      this.must(false, `a soak of ${container} is ${status} at the end`);
  }

  /** Nobody but the operator may take away what the old version is kept for. */
  beforeRemoval(oldContainerId: string): void {
    const soak = this.#open().find((each) => each.oldContainerId === oldContainerId);
    if (soak === undefined || soak.status === 'rolling_back') return;
    const isReplaced = bearerOf(this.host, soak.container)?.inspect.Id !== soak.containerId;
    this.must(isReplaced, `the old container of ${soak.container} is removed in its soak (${soak.status})`);
  }
}
