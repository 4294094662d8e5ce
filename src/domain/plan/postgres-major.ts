import type { ContainerInspect } from '../engine-inspect';
import { tryParseImageReference } from '../images/image-reference';
import { parseTag } from '../images/tags';
import { environmentOf } from '../recreate/own-config';
import { cleanPath, isPathWithin } from '../recreate/own-mounts';

/** An update to a newer PostgreSQL major: the databases are dumped, and loaded into a new data directory. */
export interface NewMajor {
  from: string;
  to: string;
  /** What must change in the compose file first; null: nothing. */
  change: ComposeChange | null;
}

/** Of one service of a compose file. */
export interface ComposeChange {
  /** As a sentence. */
  why: string;
  /** The line to add; null: no single line helps, and `why` says what does. */
  add: { section: 'environment' | 'labels'; line: string } | null;
  /** The name of the service. */
  service: string;
  /** It is one of a Swarm stack. */
  inStack?: boolean;
}

/** A server that runs: its container, and `NAME=value` of its image. */
export interface OldServer {
  container: Pick<ContainerInspect, 'Name' | 'Config' | 'Mounts'>;
  imageEnv: readonly string[] | null | undefined;
}

const DEFAULT_PGDATA = '/var/lib/postgresql/data';
/** The repository whose first number is PostgreSQL's own major; that of others (PostGIS, TimescaleDB) may count anything. */
const OFFICIAL = /^(?:postgres|postgresql)$/;

/** What the new image says of itself decides. Null: it is not a newer major, or one of the two is not known. Pure. */
export function newMajorOf(old: OldServer, newEnv: readonly string[]): NewMajor | null {
  const from = majorIn(old.container.Config.Env);
  const to = majorIn(newEnv);
  if (from === null || to === null || Number(to) <= Number(from)) return null;
  return { from, to, change: composeChange(old, newEnv) };
}

/** As far as the tags of the official image tell it. Null: it is not a newer major, or not known. */
export function newMajorByTags(from: string, to: string): NewMajor | null {
  const [before, after] = [majorByTag(from), majorByTag(to)];
  if (before === null || after === null || Number(after) <= Number(before)) return null;
  return { from: before, to: after, change: null };
}

/** The major of a server or an image by its environment; null: it does not name one. */
export function majorIn(env: readonly string[] | null | undefined): string | null {
  const found = environmentOf(env);
  return found.get('PG_MAJOR') ?? /^(\d+)/.exec(found.get('PG_VERSION') ?? '')?.[1] ?? null;
}

export function majorByTag(reference: string): string | null {
  const image = tryParseImageReference(reference);
  if (!OFFICIAL.test(image?.path.split('/').pop() ?? '')) return null;
  const version = parseTag(image?.tag ?? '');
  return version?.form === 'version' ? String(version.numbers[0]) : null;
}

/** Where a server has its data. */
export function dataDirectoryOf({ Config }: Pick<ContainerInspect, 'Config'>): string {
  return cleanPath(environmentOf(Config.Env).get('PGDATA') ?? DEFAULT_PGDATA);
}

/** Where the new container would look for it: the operator's own PGDATA, else that of the new image. */
export function dataDirectoryAfter({ container, imageEnv }: OldServer, newEnv: readonly string[]): string {
  const before = environmentOf(container.Config.Env).get('PGDATA');
  const own = before === environmentOf(imageEnv).get('PGDATA') ? undefined : before;
  return cleanPath(own ?? environmentOf(newEnv).get('PGDATA') ?? DEFAULT_PGDATA);
}

/**
 * From 18 on, the official image keeps its data elsewhere, and would start with an empty database. A PGDATA of the operator's
 * own holds for both versions. One that is equal to that of the old image cannot be distinguished from it: a slash at its end
 * makes the difference. The volume stays where it is: Compose mounts the one of a path that the old image declares there again. Null: both look in the same place.
 */
export function composeChange(old: OldServer, newEnv: readonly string[]): ComposeChange | null {
  const [before, after] = [dataDirectoryOf(old.container), dataDirectoryAfter(old, newEnv)];
  const { Name, Config, Mounts } = old.container;
  const labels = Config.Labels ?? {};
  const name = labels['com.docker.swarm.service.name'] ?? Name.replace(/^\//, '');
  const of = {
    service: labels['com.docker.compose.service'] ?? name,
    ...(labels['com.docker.swarm.service.name'] === undefined ? {} : { inStack: true }),
  };
  if (!Mounts.some(({ Destination }) => isPathWithin(before, cleanPath(Destination)))) {
    const why = `The data in ${before} is in no volume. ${name} needs a named volume at ${before} first: back it up, add the volume, then restore the backup.`;
    return { why, add: null, ...of };
  }
  if (before === after) return null;
  const why = `The new image keeps its data in ${after}, and ${name} has it in ${before}: it would start with an empty database. With PGDATA in the compose file both versions use ${before}; the slash at its end marks it as your own setting.`;
  return { why, add: { section: 'environment', line: `PGDATA: ${before}/` }, ...of };
}

/** Without its own dumps nothing could be loaded into the new data directory. */
export function needsDumps({ name, service }: { name: string; service: string | null }): ComposeChange {
  return {
    why: `${name} has no label backup.kind=postgres, so its databases are not dumped and cannot be loaded into a new major.`,
    add: { section: 'labels', line: 'backup.kind: postgres' },
    service: service ?? name,
  };
}

/** What the operator changes, and what happens then, as sentences. */
export function composeChangeText({ why, add, service, inStack = false }: ComposeChange): string {
  if (add === null) return why;
  const apply = inStack ? 'Then deploy the stack again' : `Then run: docker compose up -d ${service}`;
  return `${why} In the compose file, in service ${service}, add the line "${add.line}" to ${add.section}. ${apply}. The current version starts on the same data, and the update is offered again.`;
}
