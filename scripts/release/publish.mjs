// publish.mjs TAG IMAGE@DIGEST NOTES_FILE: makes the release on the forge; the same call on Gitea and GitHub.
import { readFileSync } from 'node:fs';

const [, , tag, image, file] = process.argv;
const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, RELEASE_TOKEN: token } = process.env;
const body = `${readFileSync(file, 'utf8').trim()}\n\nImage: \`${image}\`. [Verify it](docs/verify-a-release.md).\n`;
const answer = await fetch(`${api}/repos/${repository}/releases`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', Authorization: `token ${token}` },
  body: JSON.stringify({ tag_name: tag, name: tag, body }),
  signal: AbortSignal.timeout(60_000),
});
if (!answer.ok) {
  console.error(`release: the forge answers ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
  process.exit(1);
}
