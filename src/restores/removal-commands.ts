import type { Container } from '../domain/container';
import { taskOnHost } from '../domain/services/task-on-host';
import { shellQuoted, shellWord } from '../domain/text/shell';
import { connectionOf, type PostgresLogin } from '../probes/postgres-probe';

/** Commands for a shell on the host that remove what a restore has kept: each word is quoted. Pure. */

type Owner = Pick<Container, 'name' | 'swarm'>;

function onHost({ name, swarm }: Owner): string {
  return swarm === undefined ? name : taskOnHost(name);
}

/** The password stays in the container, where the image's variables have it. */
const WITH_PASSWORD = 'PGPASSWORD="${POSTGRES_PASSWORD-$(cat "$POSTGRES_PASSWORD_FILE")}" exec "$@"';

/** `asksPassword`: the server does so of its own clients, too. */
export function dropDatabaseCommand(
  server: Owner,
  { user, listener, asksPassword }: Pick<PostgresLogin, 'user' | 'listener'> & { asksPassword: boolean },
  database: string,
): string {
  const where = connectionOf(listener).map((variable) => `-e ${shellWord(variable)} `);
  const password = asksPassword ? `sh -c ${shellQuoted(WITH_PASSWORD)} sh ` : '';
  return `docker exec ${where.join('')}${onHost(server)} ${password}dropdb -U ${shellWord(user)} -- ${shellQuoted(database)}`;
}

/** `image`: one with `rm`, for a container that has none or whose root may not remove the files; null: its own will do. */
export function removeFolderCommand(container: Owner, folder: string, image: string | null): string {
  return image === null
    ? `docker exec -u 0 ${onHost(container)} rm -rf ${shellQuoted(folder)}`
    : `docker run --rm -u 0 --volumes-from ${onHost(container)} --entrypoint rm ${shellWord(image)} -rf ${shellQuoted(folder)}`;
}
