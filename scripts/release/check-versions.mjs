// check-versions.mjs TAG: the tag, package.json and CHANGELOG.md must name the same version. Prints the section of the changelog,
// which is the text of the release.
import { readFileSync } from 'node:fs';

const [, , tag = ''] = process.argv;
const version = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(tag)?.[1];
const named = JSON.parse(readFileSync('package.json', 'utf8')).version;
const notes = version === undefined ? '' : sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version);

const problems = [
  ...(version === undefined ? [`the tag ${JSON.stringify(tag)} is not v and a version, such as v1.2.3`] : []),
  ...(version !== undefined && named !== version ? [`package.json names ${named}, not ${version}: npm version`] : []),
  ...(version !== undefined && notes === '' ? [`CHANGELOG.md has no section "## ${version}" with text`] : []),
];
for (const problem of problems) console.error(`release: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log(notes);

/** From `## 1.2.3` (a date may follow) to the next heading of that level. */
function sectionOf(changelog, wanted) {
  const lines = changelog.split('\n');
  const start = lines.findIndex((line) => line === `## ${wanted}` || line.startsWith(`## ${wanted} `));
  if (start < 0) return '';
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('## '));
  return rest
    .slice(0, end < 0 ? undefined : end)
    .join('\n')
    .trim();
}
