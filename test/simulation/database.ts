import type { FakeContainer, ImageSpec } from '../support/fake-engine-types';
import type { FakeHost } from '../support/fake-engine-host';
import { aDump, fakePostgres, schemaOf, type Databases } from '../support/fake-postgres';
import { bearerOf } from './outsider';
import type { World } from './world';

const FIRST_SCHEMA = 1;
const ROWS = 'rows ';

/** The PostgreSQL server of a world: its one database has a schema, which apps migrate, and rows, which users write. */
export class SimulatedDatabase {
  readonly #databases: Databases = {
    postgres: aDump('postgres', undefined, Buffer.alloc(8)),
    app: content(FIRST_SCHEMA, []),
  };
  readonly #image = this.#serverImage();
  readonly #schemas = new Map<string, number>();
  #newest = FIRST_SCHEMA;
  /** Called whenever the database is dumped. */
  onDump: () => void = () => undefined;

  constructor(
    private readonly world: World,
    private readonly host: FakeHost,
  ) {
    const start = host.start.bind(host);
    host.start = (container) => {
      const ran = host.state(container).Running;
      start(container);
      if (!ran) this.#migrate(container);
    };
  }

  /** What each image of the server is like: all serve the same data. */
  get image(): ImageSpec {
    return this.#image;
  }

  #serverImage(): ImageSpec {
    const { config = {}, scripts = {} } = fakePostgres(this.#databases);
    const dump = scripts['pg_dump *'];
    return {
      config,
      scripts: {
        ...scripts,
        'pg_dump *': (call) => {
          this.onDump();
          return typeof dump === 'function' ? dump(call) : {};
        },
      },
    };
  }

  /** The image brings a schema of its own, newer than all before. */
  published(imageId: string): void {
    this.#schemas.set(imageId, ++this.#newest);
  }

  /** The schema that an image migrates to; undefined: it does not. */
  schemaOf(imageId: string): number | undefined {
    return this.#schemas.get(imageId);
  }

  /** Of what is in the database now. */
  schema(): number {
    return Number(schemaOf(this.#app())?.version);
  }

  rows(): number[] {
    const [, , line = ''] = this.#app().toString('latin1').split('\n');
    return line.slice(ROWS.length).split(',').filter(Boolean).map(Number);
  }

  write(row: number): void {
    this.#databases.app = content(this.schema(), [...this.rows(), row]);
  }

  serves(): boolean {
    const server = this.world.services.find(({ role }) => role === 'database');
    const bearer = server && bearerOf(this.host, server.spec.name);
    // An outsider may have moved the tag to another image, and have created the container from that.
    const isServer = bearer?.image.spec.scripts?.['psql *'] !== undefined;
    return bearer !== undefined && isServer && this.host.state(bearer).Status === 'running';
  }

  /** As applications do at their start. The server must run for it, and an older version does not go back; a rehearsal has a server of its own. */
  #migrate({ image, inspect }: FakeContainer): void {
    if (/\.diun-pilot-(?:rehearsal|drill|check)-/.test(inspect.Name)) return;
    const schema = this.#schemas.get(image.id);
    if (schema !== undefined && schema > this.schema() && this.serves())
      this.#databases.app = content(schema, this.rows());
  }

  #app(): Buffer {
    return this.#databases.app ?? Buffer.alloc(0);
  }
}

function content(schema: number, rows: readonly number[]): Buffer {
  const tables = Array.from({ length: schema }, (_, index) => `t${index}`);
  return aDump('app', { version: String(schema), tables }, Buffer.from(`${ROWS}${rows.join()}\n`));
}
