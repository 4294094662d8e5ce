import { environmentOf } from './recreate/own-config';
import { tryParseImageReference } from './images/image-reference';
import type { ContainerLabels } from './labels/container-labels';

/** What is known about an application, as far as it changes what an update can do to its data. */
export type Application = 'postgres' | 'database' | 'gitea' | 'nginx' | 'unknown';

const POSTGRES = /^(?:postgres|postgresql|postgis|pgvector|timescaledb|pgvecto)$/;
const OTHER_DATABASE =
  /^(?:mysql|mariadb|percona|mongo|mongodb|redis|valkey|keydb|dragonfly|memgraph|cassandra|scylla|couchdb|couchbase|clickhouse|influxdb|neo4j|arangodb|cockroach|cockroachdb|surrealdb|rethinkdb|elasticsearch|opensearch|meilisearch|typesense|qdrant|weaviate|milvus|etcd|oracle|mssql|firebird)$/;
/** A tool for a database, not the database: `postgres-exporter`, `mongo-express`, `redis-commander`. */
const TOOL =
  /^(?:exporter|backup|backups|admin|express|commander|operator|proxy|client|tools?|ui|gui|web|insight|migrate|router|dashboards?)$/;

/** Recognised by probe and backup label, by `PG_MAJOR`, and by the words of the repository's last component. */
export function applicationOf(image: {
  labels: Pick<ContainerLabels, 'probe' | 'backup'>;
  /** Every reference known for the image; what is none is passed over. */
  references: readonly string[];
  env?: readonly string[];
}): Application {
  const { probe, backup } = image.labels;
  if (probe.kind === 'postgres' || backup?.kind === 'postgres') return 'postgres';
  if (environmentOf(image.env).has('PG_MAJOR')) return 'postgres';
  if (probe.kind === 'gitea' || probe.kind === 'nginx') return probe.kind;
  const found = image.references.map(applicationOfReference);
  return found.find((application) => application !== 'unknown') ?? 'unknown';
}

/**
 * Whether nginx can be asked in such a container (`nginx -t`): its label says so, or the variable of the official image. Its
 * name is not enough: an image named after nginx may hold something else.
 */
export function runsNginx(
  { probe }: Pick<ContainerLabels, 'probe'>,
  env: readonly string[] | null | undefined,
): boolean {
  return probe.kind === 'nginx' || environmentOf(env).has('NGINX_VERSION');
}

function applicationOfReference(reference: string): Application {
  const basename = tryParseImageReference(reference)?.path.split('/').pop() ?? '';
  const words = basename.split(/[-_.]+/);
  if (words.some((word) => TOOL.test(word))) return 'unknown';
  if (words.some((word) => POSTGRES.test(word))) return 'postgres';
  if (words.some((word) => OTHER_DATABASE.test(word))) return 'database';
  if (words.includes('gitea') || words.includes('forgejo')) return 'gitea';
  return words.includes('nginx') ? 'nginx' : 'unknown';
}
