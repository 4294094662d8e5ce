import { nginxSites } from '../../../src/domain/nginx-sites';

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
  expect(site(content)).toEqual([{ paths: [PEM], name: 'git.example.org', port: 443 }]);
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
    { paths: ['/certs/all.pem'], name: 'a.example.org', port: 8443 },
    { paths: [PEM], name: 'b.example.org', port: 443 },
  ]);
});

test('one entry for each file and port, with a name if any server has one', () => {
  const server = (name: string) => `server { listen 443 ssl; ${name} ssl_certificate ${PEM}; }`;
  expect(site(server('') + server('server_name git.example.org;') + server('server_name b.example.org;'))).toEqual([
    { paths: [PEM], name: 'git.example.org', port: 443 },
  ]);
});

test('two kinds of key are one site, and the old `ssl on` is understood', () => {
  expect(site('server { ssl on; listen 8443; ssl_certificate /rsa.pem; ssl_certificate /ecdsa.pem; }')).toEqual([
    { paths: ['/rsa.pem', '/ecdsa.pem'], name: null, port: 8443 },
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
