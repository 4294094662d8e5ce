import type { FakeEngine, Method } from '../support/fake-engine';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import { isGood } from './happened';
import { bearerOf } from './outsider';
import type { World } from './world';

/** Written together: a state is whole only if both have the same. */
const PLACES = ['/data/log', '/data/deep/er/log'];

type Must = (is: boolean, what: string) => void;

/** What users of one service have written, as numbers in their order. */
interface Account {
  /** Must be there. */
  acknowledged: number[];
  /** To a new version that was not found healthy: a rollback may take it back. */
  maybe: Set<number>;
  /** Backups that the operator wants back, since it was compared last, with the last write before the end of that. */
  restored: Map<string, number>;
}

/** Users write to every service that works; nothing of it is lost unless the operator asked for a restore. */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  /** By the id of the backup: what was in it, by service. */
  readonly #sets = new Map<string, Map<string, number[]>>();
  readonly #archived = new Map<string, number[]>();
  #last = 0;

  constructor(
    world: World,
    private readonly host: FakeHost,
    private readonly scene: () => Scene,
    private readonly must: Must,
  ) {
    for (const { spec } of world.services)
      if (spec.volumes !== undefined)
        this.#accounts.set(spec.name, { acknowledged: [], maybe: new Set(), restored: new Map() });
  }

  watch(engine: FakeEngine, changes: readonly Method[]): void {
    for (const method of changes) engine.onCall(method, () => this.write());
    engine.onCall('archive', ({ args: [id] }) => this.#archives(String(id)), { when: 'after' });
    const { backups, restores, updates } = this.scene().store;
    const [ofBackup, ofRestore, save] = [
      backups.change.bind(backups),
      restores.change.bind(restores),
      updates.saveJournal.bind(updates),
    ];
    backups.change = (id, fields) => {
      if (fields.status === 'succeeded') this.#sets.set(id, new Map(this.#archived));
      return ofBackup(id, fields);
    };
    restores.change = (id, fields) => {
      const record = ofRestore(id, fields);
      if (fields.status !== undefined) this.#restores(record.backupId);
      return record;
    };
    updates.saveJournal = (id, journal) => {
      save(id, journal);
      const backup = updates.get(id)?.backupId;
      if (journal.soak?.failed?.data === 'backup' && backup) this.#restores(backup);
    };
  }

  /** Each service that works, once. */
  write(): void {
    for (const [name, account] of this.#accounts) {
      const bearer = bearerOf(this.host, name);
      if (bearer === undefined || this.host.state(bearer).Status !== 'running') continue;
      const number = ++this.#last;
      for (const place of PLACES) {
        const files = this.host.files(bearer);
        files.write(place, `${files.read(place)?.toString() ?? ''}${number}\n`);
      }
      if (isGood(bearer) && !this.#isOnTrial(name, bearer)) account.acknowledged.push(number);
      else account.maybe.add(number);
    }
  }

  #restores(backup: string): void {
    for (const { restored } of this.#accounts.values()) restored.set(backup, this.#last);
  }

  /** A new version that is not yet found healthy, or was found not to be. */
  #isOnTrial(name: string, { inspect: { Id } }: FakeContainer): boolean {
    const { updates, soaks } = this.scene().store;
    const running = updates.openFor(name).find(({ status }) => status === 'running');
    const journal = running ? updates.journal(running.id) : null;
    return journal?.newContainerId === Id && journal.stage !== 'settled' && soaks.of(running?.id ?? '') === null;
  }

  #archives(id: string): void {
    const container = this.host.containers.get(id);
    const name = container?.inspect.Name.slice(1).replace(/\.diun-pilot-.*/, '') ?? '';
    if (container !== undefined && this.#accounts.has(name)) this.#archived.set(name, linesIn(this.host, container));
  }

  atRest(): void {
    for (const [name, account] of this.#accounts) {
      const bearer = bearerOf(this.host, name);
      if (bearer !== undefined) this.#compare(name, account, bearer);
    }
  }

  #compare(name: string, account: Account, bearer: FakeContainer): void {
    const [one, other] = PLACES.map((place) => this.host.files(bearer).read(place)?.toString());
    this.must(one === other, `the data of ${name} is half of one state and half of another`);
    const now = linesIn(this.host, bearer);
    const is = (expected: readonly number[]): boolean => isSame(now, expected, account.maybe);
    const restored = [...account.restored].some(([backup, upTo]) => {
      const set = this.#sets.get(backup)?.get(name) ?? null;
      if (set === null) return false;
      // What was written from its restore on must be there.
      const since = Math.min(upTo + 1, ...now.filter((line) => !set.includes(line) && !account.maybe.has(line)));
      return is([...set, ...account.acknowledged.filter((line) => line >= since)]);
    });
    const lost = account.acknowledged.filter((line) => !now.includes(line)).length;
    this.must(
      is(account.acknowledged) || restored,
      `${lost} acknowledged writes to ${name} are lost, or others are back`,
    );
    account.acknowledged = now;
    account.maybe.clear();
    account.restored.clear();
  }
}

/** Apart from those that may be there or not. */
function isSame(now: readonly number[], expected: readonly number[], maybe: ReadonlySet<number>): boolean {
  const sure = (lines: readonly number[]): string => [...new Set(lines)].filter((line) => !maybe.has(line)).join();
  return sure(now) === sure(expected);
}

function linesIn(host: FakeHost, container: FakeContainer): number[] {
  const text =
    host
      .files(container)
      .read(PLACES[0] ?? '')
      ?.toString() ?? '';
  return text.split('\n').filter(Boolean).map(Number);
}
