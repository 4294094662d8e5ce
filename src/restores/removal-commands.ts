import { shellQuoted, shellWord } from '../domain/text/shell';
import { connectionOf, type PostgresLogin } from '../probes/postgres-probe';

/** Commands for a shell on the host that remove what a restore has kept: each word is quoted. Pure. */

/** The password stays in the container, where the image's variables have it. */
const WITH_PASSWORD = 'PGPASSWORD="${POSTGRES_PASSWORD-$(cat "$POSTGRES_PASSWORD_FILE")}" exec "$@"';

/** `asksPassword`: the server does so of its own clients, too. */
export function dropDatabaseCommand(
  server: string,
  { user, listener, asksPassword }: Pick<PostgresLogin, 'user' | 'listener'> & { asksPassword: boolean },
  database: string,
): string {
  const where = connectionOf(listener).map((variable) => `-e ${shellWord(variable)} `);
  const password = asksPassword ? `sh -c ${shellQuoted(WITH_PASSWORD)} sh ` : '';
  return `docker exec ${where.join('')}${server} ${password}dropdb -U ${shellWord(user)} -- ${shellQuoted(database)}`;
}

/** `image`: one with `rm`, for a container that has none or whose root may not remove the files; null: its own will do. */
export function removeFolderCommand(container: string, folder: string, image: string | null): string {
  return image === null
    ? `docker exec -u 0 ${container} rm -rf ${shellQuoted(folder)}`
    : `docker run --rm -u 0 --volumes-from ${container} --entrypoint rm ${shellWord(image)} -rf ${shellQuoted(folder)}`;
}
