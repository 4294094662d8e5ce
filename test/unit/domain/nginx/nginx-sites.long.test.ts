import fc from 'fast-check';
import { nginxTokens } from '../../../../src/domain/nginx/nginx-configuration';
import { Steps } from '../../../../src/domain/text/glob';
import { nginxSites } from '../../../../src/domain/nginx/nginx-sites';

/** As `nginx -T` prints files, one after the other. */
function dump(files: Record<string, string>): string {
  return Object.entries(files)
    .map(([path, content]) => `# configuration file ${path}:\n${content}\n`)
    .join('\n');
}

const MAIN = 'events {}\nhttp {\n  include /etc/nginx/mime.types;\n  include conf.d/*.conf;\n}';
const site = (content: string) =>
  nginxSites(
    dump({
      '/etc/nginx/nginx.conf': MAIN,
      '/etc/nginx/mime.types': 'types { text/html html; }',
      '/etc/nginx/conf.d/a.conf': content,
    }),
  );

const PEM = '/etc/letsencrypt/live/git/fullchain.pem';

test('a site with TLS: its file, its first plain name and its port', () => {
  const content = `server { listen 80; server_name git.example.org; return 301 https://$host$request_uri; }
    server { # the real one; with { a comment
      listen [::]:443 ssl reuseport; listen 443 ssl;
      server_name _ *.example.org ~^www\\d+\\.example\\.org$ git.example.org www.example.org;
      ssl_certificate ${PEM}; ssl_certificate_key /etc/letsencrypt/live/git/privkey.pem;
      location ~ "^/a{2}$" { return 200 "ssl_certificate /not/this;"; }
    }`;
  expect(site(content)).toEqual([{ paths: [PEM], name: 'git.example.org', port: 443, proxyProtocol: false }]);
});

test('includes inside a server, and what is inherited from the levels above', () => {
  const sites = nginxSites(
    dump({
      '/etc/nginx/nginx.conf': `http { ssl_certificate /certs/all.pem; include conf.d/*.conf; include none/*.conf; }`,
      '/etc/nginx/conf.d/a.conf': 'server { listen 8443 ssl; server_name a.example.org; }',
      '/etc/nginx/conf.d/b.conf': 'server { listen 443 ssl; server_name b.example.org; include snippets/tls.conf; }',
      '/etc/nginx/snippets/tls.conf': `ssl_certificate "${PEM}";`,
    }),
  );
  expect(sites).toEqual([
    { paths: ['/certs/all.pem'], name: 'a.example.org', port: 8443, proxyProtocol: false },
    { paths: [PEM], name: 'b.example.org', port: 443, proxyProtocol: false },
  ]);
});

test('one entry for each file and port, with a name if any server has one', () => {
  const server = (name: string) => `server { listen 443 ssl; ${name} ssl_certificate ${PEM}; }`;
  expect(site(server('') + server('server_name git.example.org;') + server('server_name b.example.org;'))).toEqual([
    { paths: [PEM], name: 'git.example.org', port: 443, proxyProtocol: false },
  ]);
});

test('two kinds of key are one site, and the old `ssl on` is understood', () => {
  expect(site('server { ssl on; listen 8443; ssl_certificate /rsa.pem; ssl_certificate /ecdsa.pem; }')).toEqual([
    { paths: ['/rsa.pem', '/ecdsa.pem'], name: null, port: 8443, proxyProtocol: false },
  ]);
});

test.each([
  ['plain HTTP', 'server { listen 80; ssl_certificate /a.pem; }'],
  ['a path that only nginx can tell', 'server { listen 443 ssl; ssl_certificate /certs/$ssl_server_name.pem; }'],
  ['a certificate inside the configuration', 'server { listen 443 ssl; ssl_certificate data:$cert; }'],
  ['a socket', 'server { listen unix:/run/nginx.sock ssl; ssl_certificate /a.pem; }'],
  ['no server at all', '# nothing here'],
])('%s is left out', (_what, content) => {
  expect(site(content)).toEqual([]);
});

test('what is no dump gives nothing, and an include of itself ends', () => {
  expect(nginxSites('')).toEqual([]);
  expect(nginxSites('}}} server {{{ ; "')).toEqual([]);
  expect(nginxSites(dump({ '/etc/nginx/nginx.conf': 'include nginx.conf; http { }' }))).toEqual([]);
});

test('relative paths are relative to the folder of the main file', () => {
  const server = 'server { listen 443 ssl; ssl_certificate certs/a.pem; }';
  expect(site(server)).toEqual([{ paths: ['/etc/nginx/certs/a.pem'], name: null, port: 443, proxyProtocol: false }]);
});

test('a port that expects a PROXY header is told, and another one is taken first', () => {
  const one = 'listen 443 ssl proxy_protocol;';
  const certificate = 'ssl_certificate /a.pem;';
  expect(site(`server { ${one} ${certificate} }`)).toMatchObject([{ port: 443, proxyProtocol: true }]);
  expect(site(`server { ${one} listen 8443 ssl; ${certificate} }`)).toMatchObject([
    { port: 8443, proxyProtocol: false },
  ]);
});

test('words in quotes, escapes and variables are read as nginx reads them', () => {
  const content = `server { listen 443 ssl; server_name "a;b" c\\;d \${x{y} 'git.example.org'; ssl_certificate '/a b\\'.pem'; }`;
  expect(site(content)).toEqual([{ paths: ["/a b'.pem"], name: 'git.example.org', port: 443, proxyProtocol: false }]);
});

describe('a hostile configuration', () => {
  const LIMIT = 12_000_000;
  const within = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      expect(error).toMatchObject({ code: 'certificate_unreadable' });
    }
  };

  test('each character is read once, whatever the text is', () => {
    const piece = fc.constantFrom(
      '${',
      '}',
      '{',
      ';',
      '"',
      "'",
      '\\',
      '#',
      '\n',
      ' ',
      'a',
      '$',
      'include *;',
      '$'.repeat(9),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 50 }), (pieces, times) => {
        const text = pieces.join('').repeat(times);
        const steps = new Steps(Infinity, () => new Error('never'));
        let tokens = 0;
        for (const { text: word } of nginxTokens(text, steps)) tokens += word.length;
        expect(steps.taken).toBeLessThanOrEqual(text.length + 1);
        expect(tokens).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['`${` repeated', () => '${'.repeat(1_000_000)],
    ['an include of many stars', () => `include ${'*a'.repeat(2_000)}b;`.repeat(50)],
    ['directives without end', () => 'a;'.repeat(2_000_000)],
    ['blocks without end', () => 'a{'.repeat(1_000_000)],
    ['quotes without end', () => `"${'\\"'.repeat(1_000_000)}`],
  ])('%s ends within the steps', (_what, text) => {
    const files = { '/etc/nginx/nginx.conf': text(), [`/etc/nginx/${'a'.repeat(4_000)}`]: '' };
    within(() => nginxSites(dump(files), LIMIT));
  });

  test('includes without a wildcard are counted once for each file, too', () => {
    const files = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`/etc/nginx/${at}`, '']));
    const all = { '/etc/nginx/nginx.conf': 'include absent;'.repeat(1_000), ...files };
    expect(() => nginxSites(dump(all), 100_000)).toThrow(expect.objectContaining({ code: 'certificate_unreadable' }));
  });

  test.each(['0', '65536', '99999'])('the port %s, which no socket has, is left out', (port) => {
    const server = `server { listen ${port} ssl; ssl_certificate /c.pem; server_name a.example; }`;
    expect(nginxSites(dump({ '/etc/nginx/nginx.conf': `http { ${server} }` }))).toEqual([]);
  });

  test('files that include each other twice are refused, and do not double for ever', () => {
    const files = {
      '/etc/nginx/nginx.conf': 'include a; include a;',
      '/etc/nginx/a': 'include a; include a; server {}',
    };
    expect(() => nginxSites(dump(files))).toThrow(expect.objectContaining({ code: 'certificate_unreadable' }));
  });

  test('whatever it is, it is read or refused within its steps', () => {
    const words = fc.constantFrom(
      'include',
      'server',
      'http',
      '{',
      '}',
      ';',
      '*',
      '[a',
      '/etc/nginx/*',
      '${x}',
      '"',
      'listen 443 ssl;',
    );
    const text = fc.array(words, { maxLength: 60 }).map((each) => each.join(' '));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('/etc/nginx/nginx.conf', '/etc/nginx/a', '/etc/nginx/b'), text),
        (files) => {
          within(() => nginxSites(dump(files), 200_000));
        },
      ),
      { numRuns: 500 },
    );
  });
});
