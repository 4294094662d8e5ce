import type { FakeEngine, Method } from '../support/fake-engine';
import type { FakeHost } from '../support/fake-engine-host';
import type { FakeContainer } from '../support/fake-engine-types';
import type { Scene } from '../support/scene';
import { isGood } from './happened';
import type { Seen } from './judge';
import { bearerOf } from './outsider';
import { hasFiles } from './stage';
import type { World } from './world';

/** The account of the one database, with all that is written to it. */
const DATABASE = 'the database';

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

/** Users write to every service that works, into its files and into the database; nothing of it is lost unless the operator asked for a restore. */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  /** By the id of the backup: what was in it, by account. */
  readonly #sets = new Map<string, Map<string, number[]>>();
  readonly #archived = new Map<string, number[]>();
  #last = 0;

  constructor(
    private readonly world: World,
    private readonly seen: Seen,
    private readonly scene: () => Scene,
    private readonly must: Must,
  ) {
    const names = world.services.filter(hasFiles).map(({ spec }) => spec.name);
    if (world.services.some(({ role }) => role === 'database')) names.push(DATABASE);
    for (const name of names) this.#accounts.set(name, { acknowledged: [], maybe: new Set(), restored: new Map() });
    seen.database.onDump = () => this.#archived.set(DATABASE, seen.database.rows());
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
    const { host, database } = this.seen;
    for (const service of this.world.services) {
      const bearer = bearerOf(host, service.spec.name);
      if (bearer === undefined || host.state(bearer).Status !== 'running') continue;
      if (hasFiles(service)) this.#enter(service.spec.name, [bearer], (number) => this.#append(bearer, number));
      const server = this.#server();
      if (service.role === 'app' && server !== null && database.serves())
        this.#enter(DATABASE, [bearer, server], (number) => database.write(number));
    }
  }

  /** Written by way of these containers: acknowledged for good if none is on trial. */
  #enter(account: string, by: readonly FakeContainer[], write: (number: number) => void): void {
    const number = ++this.#last;
    write(number);
    const { acknowledged, maybe } = this.#accounts.get(account)!;
    if (by.every((one) => isGood(one) && !this.#isOnTrial(one) && !this.#disturbsRestore(one)))
      acknowledged.push(number);
    else maybe.add(number);
  }

  #append(bearer: FakeContainer, number: number): void {
    const files = this.seen.host.files(bearer);
    for (const place of PLACES) files.write(place, `${files.read(place)?.toString() ?? ''}${number}\n`);
  }

  #server(): FakeContainer | null {
    const server = this.world.services.find(({ role }) => role === 'database');
    return (server && bearerOf(this.seen.host, server.spec.name)) ?? null;
  }

  #restores(backup: string): void {
    for (const { restored } of this.#accounts.values()) restored.set(backup, this.#last);
  }

  /** A new version that is not yet found healthy, or was found not to be. */
  #isOnTrial({ inspect: { Id, Name } }: FakeContainer): boolean {
    const { updates, soaks } = this.scene().store;
    const running = updates.openFor(Name.slice(1)).find(({ status }) => status === 'running');
    const journal = running ? updates.journal(running.id) : null;
    return journal?.newContainerId === Id && journal.stage !== 'settled' && soaks.of(running?.id ?? '') === null;
  }

  /** Started by an outsider while a restore has it stopped: what it writes until the restore sees it may be replaced. */
  #disturbsRestore({ inspect: { Id } }: FakeContainer): boolean {
    const { restores, updates } = this.scene().store;
    const inRollback = updates.withStatus('running').map(({ id }) => updates.journal(id)?.restore?.stage);
    const stages = [restores.journal(restores.next()?.id ?? '')?.stage, ...inRollback];
    return (
      this.seen.happened.startedOutside.has(Id) && stages.some((stage) => stage === 'swapping' || stage === 'undoing')
    );
  }

  #archives(id: string): void {
    const { host } = this.seen;
    const container = host.containers.get(id);
    const name = container?.inspect.Name.slice(1).replace(/\.diun-pilot-.*/, '') ?? '';
    if (container !== undefined && this.#accounts.has(name)) this.#archived.set(name, linesIn(host, container));
  }

  atRest(): void {
    for (const [name, account] of this.#accounts) {
      const now = name === DATABASE ? this.seen.database.rows() : this.#wholeFiles(name);
      if (now !== null) this.#compare(name, account, now);
    }
  }

  /** Null: no container has the name. */
  #wholeFiles(name: string): number[] | null {
    const { host } = this.seen;
    const bearer = bearerOf(host, name);
    if (bearer === undefined) return null;
    const [one, other] = PLACES.map((place) => host.files(bearer).read(place)?.toString());
    this.must(one === other, `the data of ${name} is half of one state and half of another`);
    return linesIn(host, bearer);
  }

  #compare(name: string, account: Account, now: number[]): void {
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
