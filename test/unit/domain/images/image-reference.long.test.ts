import fc from 'fast-check';
import { PilotError } from '../../../../src/domain/errors';
import {
  digestReference,
  formatReference,
  parseImageReference,
  repositoryOf,
  sameRepository,
  tryParseImageReference,
  withTag,
} from '../../../../src/domain/images/image-reference';

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}`;

describe('parsing an image reference', () => {
  test.each([
    ['nginx', 'docker.io', 'library/nginx', 'latest', null],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27', null],
    ['gitea/gitea:1.24.6', 'docker.io', 'gitea/gitea', '1.24.6', null],
    ['docker.io/nginx', 'docker.io', 'library/nginx', 'latest', null],
    ['index.docker.io/nginx:1', 'docker.io', 'library/nginx', '1', null],
    ['index.docker.io/library/nginx', 'docker.io', 'library/nginx', 'latest', null],
    ['localhost/app', 'localhost', 'app', 'latest', null],
    ['localhost:5000/app:v1', 'localhost:5000', 'app', 'v1', null],
    ['127.0.0.1:5000/library/nginx:1.27.5', '127.0.0.1:5000', 'library/nginx', '1.27.5', null],
    ['[::1]:5000/app', '[::1]:5000', 'app', 'latest', null],
    ['ghcr.io/a/b/c:x', 'ghcr.io', 'a/b/c', 'x', null],
    ['Registry/app', 'Registry', 'app', 'latest', null],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000', null],
    ['a__b/c--d.e_f', 'docker.io', 'a__b/c--d.e_f', 'latest', null],
    [`nginx@${DIGEST}`, 'docker.io', 'library/nginx', null, DIGEST],
    [`nginx:1.27@${DIGEST}`, 'docker.io', 'library/nginx', '1.27', DIGEST],
  ])('reads %s as Docker does', (text, domain, path, tag, digest) => {
    expect(parseImageReference(text)).toEqual({ domain, path, tag, digest });
  });

  test.each([
    ['', 'empty'],
    ['Nginx', 'lower case'],
    ['nginx:', 'tag'],
    ['nginx:-1', 'tag'],
    [`nginx:${'a'.repeat(129)}`, 'tag'],
    ['nginx@sha256:abc', 'digest'],
    [`nginx@sha256:${'A'.repeat(64)}`, 'digest'],
    [`nginx@md5:${HEX}`, 'digest'],
    ['a//b', 'characters'],
    ['-a', 'characters'],
    ['a___b', 'characters'],
    ['exa_mple.com/a', 'host name'],
    ['docker.io/', 'empty'],
    [HEX, 'image id'],
    [DIGEST, 'image id'],
    [`x/${'a'.repeat(256)}`, 'longer'],
    ['nginx\n', 'characters'],
    ['a'.repeat(5000), 'longer'],
  ])('refuses %j and says why', (text, why) => {
    const refuse = (): unknown => parseImageReference(text);
    expect(refuse).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
    expect(refuse).toThrow(why);
  });

  test('gives null instead of an error where text may well be none', () => {
    expect(tryParseImageReference(DIGEST)).toBeNull();
    expect(tryParseImageReference('nginx')?.path).toBe('library/nginx');
  });
});

describe('references as properties', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
  const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const domain = fc.constantFrom(
    '',
    'localhost/',
    'localhost:5000/',
    'ghcr.io/',
    '127.0.0.1:5000/',
    '[::1]:443/',
    'docker.io/',
  );
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][\w.-]{0,20}$/), { nil: null });
  const digest = fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: null });
  const spelled = fc
    .tuple(domain, path, tag, digest)
    .map(([d, p, t, g]) => `${d}${p}${t === null ? '' : `:${t}`}${g === null ? '' : `@sha256:${g}`}`);

  test('the normalised spelling means the same reference again', () => {
    fc.assert(
      fc.property(spelled, (text) => {
        const parsed = parseImageReference(text);
        expect(parseImageReference(formatReference(parsed))).toEqual(parsed);
        expect(formatReference(parseImageReference(formatReference(parsed)))).toBe(formatReference(parsed));
      }),
    );
  });

  test('a new tag changes the tag alone, and keeps the spelling', () => {
    fc.assert(
      fc.property(spelled, (text) => {
        const changed = withTag(text, '9.9');
        expect(parseImageReference(changed)).toEqual({ ...parseImageReference(text), tag: '9.9', digest: null });
        expect(text.startsWith(changed.slice(0, -':9.9'.length))).toBe(true);
      }),
    );
  });

  test('nothing but a PilotError is ever thrown, whatever the text', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'aZ0:/@.-_[]# \n'.split(''), 'sha256:', 'docker.io/') });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearly), (text) => {
        try {
          const parsed = parseImageReference(text);
          expect(parsed.tag !== null || parsed.digest !== null).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(PilotError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('working with references', () => {
  test('spellings of one repository are the same repository', () => {
    const same = (one: string, other: string): boolean =>
      sameRepository(parseImageReference(one), parseImageReference(other));
    expect(same('nginx:1.27', 'docker.io/library/nginx:stable')).toBe(true);
    expect(same('nginx', 'ghcr.io/library/nginx')).toBe(false);
    expect(same('nginx', 'bitnami/nginx')).toBe(false);
  });

  test('names the repository and what is pulled in full', () => {
    expect(repositoryOf(parseImageReference('nginx:1.27'))).toBe('docker.io/library/nginx');
    expect(digestReference('nginx:1.27', DIGEST)).toBe(`docker.io/library/nginx@${DIGEST}`);
    expect(() => digestReference('nginx', 'latest')).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
  });

  test.each([
    ['nginx', '1.28', 'nginx:1.28'],
    ['localhost:5000/nginx', '1.28', 'localhost:5000/nginx:1.28'],
    ['index.docker.io/library/nginx:1', '2', 'index.docker.io/library/nginx:2'],
    [`nginx:1@${DIGEST}`, '2', 'nginx:2'],
  ])('%s with the tag %s is %s', (original, tag, expected) => {
    expect(withTag(original, tag)).toBe(expected);
  });

  test('refuses a tag that none can be', () => {
    expect(() => withTag('nginx', 'a b')).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
  });
});
