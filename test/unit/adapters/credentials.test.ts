import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsFor, registryAuth } from '../../../src/adapters/docker/registry/credentials';

jest.setTimeout(60_000);

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'docker-config-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const found = (reference: string) => credentialsFor(folder, reference, { PATH: `${folder}:/usr/bin:/bin` });

const config = (content: object): void => writeFileSync(join(folder, 'config.json'), JSON.stringify(content));
const auth = Buffer.from('me:pass:word').toString('base64');
const ME = { username: 'me', password: 'pass:word' };

function helper(name: string, script: string): void {
  const program = join(folder, `docker-credential-${name}`);
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
}

describe('entries of auths', () => {
  test.each([
    ['registry.example:5000', 'registry.example:5000/app:1'],
    ['https://registry.example:5000', 'registry.example:5000/app:1'],
    ['http://registry.example:5000/', 'registry.example:5000/app:1'],
    ['https://registry.example:5000/v1/', 'registry.example:5000/app:1'],
    ['https://registry.example:5000/v2/', 'registry.example:5000/app:1'],
    ['Registry.Example:5000', 'registry.example:5000/app:1'],
    ['https://index.docker.io/v1/', 'nginx:1'],
    ['index.docker.io', 'nginx:1'],
    ['docker.io', 'nginx:1'],
    ['https://registry-1.docker.io', 'nginx:1'],
  ])('%s is found for %s', async (key, reference) => {
    config({ auths: { 'other.example': { auth: 'bm86bm8=' }, [key]: { auth } } });
    await expect(found(reference)).resolves.toEqual(ME);
  });

  test.each(['registry.example', 'registry.example:5001', 'evil.example/registry.example:5000'])(
    '%s is not an entry for another registry',
    async (key) => {
      config({ auths: { [key]: { auth } } });
      await expect(found('registry.example:5000/app:1')).resolves.toBeNull();
    },
  );

  test.each([[{}], [null], [{ auth: '' }]])('an empty entry is none: %j', async (entry) => {
    config({ auths: { 'https://index.docker.io/v1/': entry } });
    await expect(found('nginx:1')).resolves.toBeNull();
    await expect(registryAuth(folder, 'nginx:1')).resolves.toEqual({});
  });

  test.each([[{ auths: { 'a.example': { auth: {} } } }], [{ auths: [] }], [{ auths: 'x' }], [{ credsStore: 5 }], [[]]])(
    'a value of another type is refused with what to do: %j',
    async (content) => {
      config(content);
      await expect(found('a.example/app:1')).rejects.toMatchObject({
        code: 'registry_refused',
        message: "Docker's config.json cannot be read: correct it, or its permissions.",
      });
    },
  );

  test('user name and password in plain, and an identity token', async () => {
    config({ auths: { 'a.example': { username: 'me', password: 'p' }, 'b.example': { auth, identitytoken: 't' } } });
    await expect(found('a.example/app:1')).resolves.toEqual({ username: 'me', password: 'p' });
    await expect(found('b.example/app:1')).resolves.toEqual({ identitytoken: 't' });
  });

  test.each(['p', 'pp', 'ppp'])('the header is padded, as the engine requires: %s', async (password) => {
    config({ auths: { 'a.example': { username: 'me?>', password } } });
    const header = (await registryAuth(folder, 'a.example/app:1'))['X-Registry-Auth'] ?? '';
    expect(header).toMatch(/^(?:[\w-]{4})*(?:[\w-]{2}==|[\w-]{3}=)?$/);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ username: 'me?>', password });
  });

  test('a config without auths has none', async () => {
    config({ auths: null, credHelpers: null });
    await expect(found('nginx:1')).resolves.toBeNull();
  });
});

describe('credential helpers', () => {
  const ecr = '1.dkr.ecr.eu-central-1.amazonaws.com';
  const answers = (username: string, secret: string): string =>
    `read server; [ "$1" = get ] || exit 9; printf '{"ServerURL":"%s","Username":"${username}","Secret":"${secret}"}' "$server"`;

  test('that of the registry is asked by its name', async () => {
    helper('ecr-login', answers('AWS', 'of'));
    config({ auths: { [ecr]: {} }, credHelpers: { [ecr]: 'ecr-login' } });
    await expect(found(`${ecr}/app:1`)).resolves.toEqual({ username: 'AWS', password: 'of' });
  });

  test('that of all is asked before auths, with the address of Docker Hub', async () => {
    helper('store', `read server; printf '{"Username":"me","Secret":"%s"}' "$server"`);
    config({ auths: { 'https://index.docker.io/v1/': {} }, credsStore: 'store' });
    const password = 'https://index.docker.io/v1/';
    await expect(found('nginx:1')).resolves.toEqual({ username: 'me', password });
  });

  test('an identity token has its own user name', async () => {
    helper('store', answers('<token>', 'long-lived'));
    config({ credsStore: 'store' });
    await expect(found('nginx:1')).resolves.toEqual({ identitytoken: 'long-lived' });
  });

  test('one that has none is no failure, and auths is read', async () => {
    helper('store', 'echo "credentials not found in native keychain"; exit 1');
    config({ auths: { 'docker.io': { auth } }, credsStore: 'store' });
    await expect(found('nginx:1')).resolves.toEqual(ME);
  });

  test('one for all that is not on the PATH is passed over, one for the registry is named', async () => {
    config({ auths: { 'docker.io': { auth } }, credsStore: 'desktop' });
    await expect(found('nginx:1')).resolves.toEqual(ME);
    config({ credHelpers: { [ecr]: 'ecr-login' } });
    await expect(found(`${ecr}/app:1`)).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining(
        "docker-credential-ecr-login, which Docker's config.json names, is not on the PATH",
      ),
    });
  });

  test.each([
    ['fails', 'echo "secret-words"; exit 3'],
    ['answers no JSON', 'echo "secret-words"'],
    ['answers without end', 'while :; do echo secret-words; done'],
  ])('one that %s is refused without its words', async (_what, script) => {
    helper('ecr-login', script);
    config({ credHelpers: { [ecr]: 'ecr-login' } });
    const failure = (await found(`${ecr}/app:1`).catch((error: Error) => error)) as Error;
    expect(failure).toMatchObject({ code: 'registry_refused' });
    expect(failure.message).not.toContain('secret-words');
  });

  test('a name that is a path is not run', async () => {
    config({ credHelpers: { [ecr]: '../../evil' } });
    await expect(found(`${ecr}/app:1`)).rejects.toMatchObject({ code: 'registry_refused' });
  });
});
