import type { Update } from '../../src/domain/update';
import type { Seen } from './judge';
import type { World } from './world';

type Must = (is: boolean, what: string) => void;

/** What holds of a database that new versions of its apps migrate: a rollback takes its schema back, or says that it did not. */
export class SchemaJudge {
  /** Of versions that someone has put into service: diun-pilot by a verdict, or an outsider. */
  readonly #accepted = new Set<number>();

  constructor(
    private readonly world: World,
    private readonly seen: Seen,
    private readonly must: Must,
  ) {
    this.#accepted.add(seen.database.schema());
  }

  /** Whatever runs on its act may have migrated. */
  outsiderActed(): void {
    const { host, database } = this.seen;
    for (const container of host.containers.values())
      if (host.state(container).Running) this.#accept(database.schemaOf(container.inspect.Image));
  }

  verdict({ container, status, to, reason, startedAt }: Update): void {
    const { happened, database } = this.seen;
    const schema = database.schemaOf(happened.image(to.digest)?.id ?? '');
    if (container === null || schema === undefined || startedAt === null) return;
    const isSaid =
      status === 'succeeded' ||
      status === 'rollback_failed' ||
      reason.includes('could not read whether the new version');
    // A database that an outsider removed and created anew meanwhile was in no backup.
    // Another container of the same image may have migrated before.
    const isFirst = !this.#accepted.has(schema);
    if (isSaid || happened.touched.size > 0) this.#accept(schema);
    if (status === 'succeeded' && isFirst && happened.faults === 0 && database.schema() === schema)
      this.must(
        reason.includes('schema_version'),
        `the verdict on ${container} does not say that it migrated: ${reason}`,
      );
  }

  atRest(): void {
    if (!this.world.services.some(({ role }) => role === 'database')) return;
    const schema = this.seen.database.schema();
    this.must(!Number.isNaN(schema), 'the database is gone');
    this.must(
      this.#accepted.has(schema),
      `the database has the schema ${schema} of a version that was not put into service`,
    );
  }

  #accept(schema: number | undefined): void {
    if (schema !== undefined) this.#accepted.add(schema);
  }
}
