import { nginxUpstreams } from '../../../../src/domain/nginx/nginx-sites';

const upstreams = (configuration: string) =>
  nginxUpstreams(`# configuration file /etc/nginx/nginx.conf:\n${configuration}\n`);
const requests = (configuration: string): string[] =>
  upstreams(configuration).sites.map(
    ({ host, port, tls, path, upstreams: to }) => `${tls ? 'https' : 'http'} ${host} ${port} ${path} ${to.join('+')}`,
  );

test('a location passes requests on to the host that its target names', () => {
  const server = 'server { listen 8080; server_name site.example; location /api/ { proxy_pass http://app:3000/v1; } }';
  expect(requests(`http { ${server} }`)).toEqual(['http site.example 8080 /api/ app']);
});

test('an upstream block stands for its servers', () => {
  const group = 'upstream pool { server app-1:80 weight=2; server app-2; server unix:/run/app.sock; }';
  expect(requests(`http { ${group} server { location / { proxy_pass http://pool; } } }`)).toEqual([
    'http null 80 / app-1+app-2',
  ]);
});

test.each([
  ['listen 443 ssl;', 'https null 443 /'],
  ['listen 443 ssl; listen 80;', 'http null 80 /'],
  ['listen [::]:8443 ssl;', 'https null 8443 /'],
  ['listen 8443; ssl on;', 'https null 8443 /'],
])('%s is requested as %s', (listen, request) => {
  expect(requests(`http { server { ${listen} proxy_pass http://app; } }`)).toEqual([`${request} app`]);
});

test.each(['listen 80 proxy_protocol;', 'listen unix:/run/nginx.sock;', 'listen 443 quic;'])(
  '%s cannot be requested, but its upstream is known',
  (listen) => {
    const found = upstreams(`http { server { ${listen} location / { proxy_pass http://app; } } }`);
    expect(found).toEqual({ upstreams: ['app'], sites: [] });
  },
);

test.each([
  ['location = /exact', '/exact'],
  ['location ^~ /prefix/', '/prefix/'],
  ['location ~ \\.php$', '/index.php'],
  ['location ~* ^/(a|b)', '/'],
  ['location @fallback', '/'],
  ['location /a { location /a/b', '/a/b'],
])('%s is requested at %s', (location, path) => {
  const close = location.includes('{') ? '}' : '';
  const server = `server { ${location} { fastcgi_pass app:9000; } ${close} }`;
  expect(requests(`http { ${server} }`)).toEqual([`http null 80 ${path} app`]);
});

test('a wildcard name, a pattern and the catch-all are not requested by name', () => {
  const names = 'server_name *.example.com ~^www _ site.example;';
  expect(requests(`http { server { ${names} location / { proxy_pass http://app; } } }`)).toEqual([
    'http site.example 80 / app',
  ]);
});

test('a target with a variable has no name, and a socket is left out', () => {
  const dynamic = 'server { listen 81; location / { proxy_pass http://$backend; } }';
  const socket = 'server { listen 82; location / { proxy_pass http://unix:/run/app.sock; } }';
  expect(upstreams(`http { ${dynamic} ${socket} }`)).toEqual({
    upstreams: [],
    sites: [{ upstreams: [], host: null, port: 81, tls: false, path: '/' }],
  });
});

test('streams and gRPC have upstreams, and nothing to request over HTTP', () => {
  const stream = 'stream { upstream db { server db-1:5432; } server { listen 5432; proxy_pass db; } }';
  const grpc = 'http { server { location / { grpc_pass grpc://app:50051; } } }';
  expect(upstreams(`${stream} ${grpc}`)).toEqual({ upstreams: ['db-1', 'app'], sites: [] });
});

test('what takes too much work is not read', () => {
  const many = 'server { location / { proxy_pass http://app; } }'.repeat(100);
  const dump = `# configuration file /etc/nginx/nginx.conf:\nhttp { ${many} }\n`;
  expect(() => nginxUpstreams(dump, 1000)).toThrow(expect.objectContaining({ code: 'certificate_unreadable' }));
});
