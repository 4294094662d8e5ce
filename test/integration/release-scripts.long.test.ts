import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

// The steps of .gitea/workflows/release.yml; those that need a registry and cosign are in test/e2e/signatures.test.ts.
const ROOT = join(__dirname, '../..');
const SCRIPTS = join(ROOT, 'scripts/release');

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'release-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function check(tag: string, changelog: string, version = '1.2.3') {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }));
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
  return spawnSync(process.execPath, [join(SCRIPTS, 'check-versions.mjs'), tag], { cwd: folder, encoding: 'utf8' });
}

const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.3 (2026-12-01)\n\n### Fixed\n\n- a leak\n\n## 1.2.2\n\n- old\n';

test('where tag, package and changelog agree, the notes are the section of that version', () => {
  const { status, stdout } = check('v1.2.3', CHANGELOG);
  expect([status, stdout]).toEqual([0, '### Fixed\n\n- a leak\n']);
});

test.each([
  ['1.2.3', CHANGELOG, '1.2.3', /not v and a version/],
  ['v1.2', CHANGELOG, '1.2.3', /not v and a version/],
  ['v1.2.3', CHANGELOG, '1.2.4', /package\.json names 1\.2\.4/],
  ['v1.2.4', CHANGELOG, '1.2.4', /no section "## 1\.2\.4"/],
  ['v1.2.3', '## 1.2.3\n\n## 1.2.2\n- old', '1.2.3', /no section/],
  ['v1.2.3', '## 1.2.30\n- other', '1.2.3', /no section/],
])('a tag %s is refused where something differs', (tag, changelog, version, problem) => {
  const { status, stdout, stderr } = check(tag, changelog, version);
  expect([status, stdout, stderr]).toEqual([1, '', expect.stringMatching(problem)]);
});

test('the SBOM lists what the image has of npm, and nothing of the tests', () => {
  const file = join(folder, 'sbom.json');
  execFileSync(join(SCRIPTS, 'sbom.sh'), [file], { cwd: ROOT });
  const sbom = JSON.parse(readFileSync(file, 'utf8')) as {
    bomFormat: string;
    metadata: { component: { name: string } };
    components: { name: string }[];
  };
  const names = sbom.components.map(({ name }) => name);
  expect([sbom.bomFormat, sbom.metadata.component.name]).toEqual(['CycloneDX', 'diun-pilot']);
  expect(names).toContain('better-sqlite3');
  expect(names).not.toContain('jest');
});

test('the provenance names commit, workflow and run', () => {
  const env = {
    ...{ GITHUB_SERVER_URL: 'https://git.example.org', GITHUB_REPOSITORY: 'team/pilot', GITHUB_SHA: 'c0ffee' },
    ...{ GITHUB_REF: 'refs/tags/v1.2.3', GITHUB_RUN_ID: '42' },
  };
  const printed = execFileSync(process.execPath, [join(SCRIPTS, 'provenance.mjs')], { env, encoding: 'utf8' });
  expect(JSON.parse(printed)).toMatchObject({
    buildDefinition: {
      resolvedDependencies: [
        { uri: 'git+https://git.example.org/team/pilot@refs/tags/v1.2.3', digest: { gitCommit: 'c0ffee' } },
      ],
    },
    runDetails: { metadata: { invocationId: 'https://git.example.org/team/pilot/actions/runs/42' } },
  });
});

test('a tag is never signed, since it can move', () => {
  const { status, stderr } = spawnSync(join(SCRIPTS, 'sign.sh'), ['registry.example/app:1', 'k', 's', 'p'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/a tag can move/)]);
});

test('the release is made on the forge, with the notes and the image', async () => {
  const asked: { url: string | undefined; token: string | undefined; body: unknown }[] = [];
  const forge = createServer((request, response) => {
    let text = '';
    request
      .on('data', (part) => (text += part))
      .on('end', () => {
        asked.push({ url: request.url, token: request.headers.authorization, body: JSON.parse(text) });
        response.writeHead(asked.length === 1 ? 201 : 409).end('{}');
      });
  });
  await new Promise<void>((resolve) => forge.listen(0, '127.0.0.1', resolve));
  const api = `http://127.0.0.1:${(forge.address() as AddressInfo).port}/api/v1`;
  writeFileSync(join(folder, 'notes.md'), '- a leak\n');
  const publish = () =>
    new Promise<number | null>((resolve) => {
      const args = [join(SCRIPTS, 'publish.mjs'), 'v1.2.3', 'registry.example/app@sha256:1', join(folder, 'notes.md')];
      const env = { ...process.env, GITHUB_API_URL: api, GITHUB_REPOSITORY: 'team/pilot', RELEASE_TOKEN: 'secret' };
      spawn(process.execPath, args, { env, stdio: 'ignore' }).on('exit', resolve);
    });
  try {
    expect(await publish()).toBe(0);
    expect(asked).toEqual([
      {
        url: '/api/v1/repos/team/pilot/releases',
        token: 'token secret',
        body: {
          tag_name: 'v1.2.3',
          name: 'v1.2.3',
          body: expect.stringMatching(/^- a leak\n\nImage: `registry\.example\/app@sha256:1`/),
        },
      },
    ]);
    expect(await publish()).toBe(1);
  } finally {
    forge.close().closeAllConnections();
  }
});

test('the workflow runs these scripts, on a tag only', () => {
  const workflow = parse(readFileSync(join(ROOT, '.gitea/workflows/release.yml'), 'utf8')) as {
    on: unknown;
    jobs: { release: { steps: { run?: string }[] } };
  };
  expect(workflow.on).toEqual({ push: { tags: ['v*'] } });
  const runs = workflow.jobs.release.steps.map(({ run = '' }) => run).join('\n');
  const order = [
    'check-versions.mjs',
    '.ci/run',
    'sbom.sh',
    'provenance.mjs',
    'build.sh',
    'sign.sh',
    'verify.sh',
    'publish.mjs',
  ];
  const places = order.map((script) => runs.indexOf(script));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});
