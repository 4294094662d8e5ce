import type { Letter } from '../../../src/notifications/letter/letter';
import { plainText } from '../../../src/notifications/letter/plain-text';

const letter = (text: string): Letter => ({
  ...{ kind: 'update_failed', updateId: null, about: 'gitea', subject: 's', heading: 'h', page: '' },
  ...{ verdict: { tone: 'alarm', word: 'v' }, blocks: [{ type: 'paragraph', text }] },
});

/** The sentence after words of every length, so that each of its spaces is once where a line ends. */
const linesOf = (sentence: string): string[][] =>
  Array.from({ length: 80 }, (_, length) => plainText(letter(`${'x'.repeat(length)} ${sentence}`)).split('\n'));

// A shell takes a line break for the end of a command: `docker compose` and `up -d gitea` are two.
test.each([
  ['docker compose up -d', 'To go back, write it into the compose file and run docker compose up -d again.'],
  ['docker compose up -d', 'Until then, "docker compose up -d" goes back to nginx:1.27.'],
  ['docker compose exec diun-pilot …', 'Run each command as "docker compose exec diun-pilot …" in its folder.'],
  ['ssh -L 8080:localhost:8080 SERVER', 'Run ssh -L 8080:localhost:8080 SERVER and open http://localhost:8080.'],
  ['docker start web-db-1', 'Start it (docker start web-db-1), or take the label backup.kind off it.'],
  ['docker logs web-db-1', 'Look at docker logs web-db-1; the dump is taken as POSTGRES_USER of that container.'],
  ['diun-pilot update web-nginx-1 nginx:1.28', 'Request it again: diun-pilot update web-nginx-1 nginx:1.28'],
  ['diun-pilot rehearse 01KAT3W8P4', 'Rehearse again: diun-pilot rehearse 01KAT3W8P4. The page shows it.'],
  [
    'docker compose pull web && docker compose up -d web',
    'Update it with docker compose: docker compose pull web && docker compose up -d web',
  ],
  [
    "docker exec -u 0 web rm -rf '/var/lib/a folder. Old/x'",
    "To remove it: docker exec -u 0 web rm -rf '/var/lib/a folder. Old/x'. Nothing else uses it.",
  ],
  ['docker cp web:/etc/motd .', 'Copy one out: docker cp web:/etc/motd . Remove the container: docker rm web'],
  ['docker rm --force --volumes web', 'To do it now: docker rm --force --volumes web'],
  ['docker service scale web_db=1', 'It must have one replica (docker service scale web_db=1).'],
  [
    'docker service update --force web',
    'Finish it: docker service rollback web, or docker service update --force web.',
  ],
])('%s stays in one line of a text mail', (command, sentence) => {
  for (const lines of linesOf(sentence)) expect(lines).toContainEqual(expect.stringContaining(command));
});

test('words that only look like a command are wrapped as any others', () => {
  const sentence =
    'diun-pilot was stopped and docker compose up re-created the container while nginx was updated by it.';
  for (const lines of linesOf(sentence))
    expect(Math.max(...lines.slice(4).map(({ length }) => length))).toBeLessThan(77);
});
