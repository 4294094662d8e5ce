import { readRetryAfter } from '../../../src/adapters/channels/http-call';
import { readName } from '../../../src/adapters/docker/socket-proxy/guard/family';
import { readErrors } from '../../../src/backups/sources/files-source';
import { parseCertificate } from '../../../src/certificates/find-certificates';
import { cron, readNotesHosts } from '../../../src/config/fields';
import { readBackupUrl, readHeartbeatUrl, readHttpUrl, readMailUrl, readNotifyUrls } from '../../../src/config/urls';
import { applyEdit, decideTagEdit } from '../../../src/domain/compose/tag-edit';
import { readDependsOn, readRestartsWith } from '../../../src/domain/compose/depends-on';
import { readEnvFile, readPieces } from '../../../src/domain/compose/variables';
import { readWindow } from '../../../src/domain/decision/update-window';
import { parseDf } from '../../../src/domain/disk/df';
import { formatReference, parseImageReference, splitReference } from '../../../src/domain/images/image-reference';
import { parseTag } from '../../../src/domain/images/tags';
import { parseFlag } from '../../../src/domain/labels/parse-flag';
import { readLabels } from '../../../src/domain/labels/read-labels';
import { readProbe, splitCommand } from '../../../src/domain/labels/read-probe';
import { readConfiguration } from '../../../src/domain/nginx/nginx-configuration';
import { nginxSites, nginxUpstreams } from '../../../src/domain/nginx/nginx-sites';
import { readVersion } from '../../../src/domain/notes/versions';
import { readVerify } from '../../../src/domain/signatures/signature';
import { parseDuration } from '../../../src/domain/format';
import { splitDetail } from '../../../src/notifications/letter/clean';
import { parsePostmasterPid } from '../../../src/probes/postgres-probe';
import { missingRoles } from '../../../src/restores/databases/role-statement';
import { splitSql } from '../../../src/restores/databases/sql-tokens';
import { bytes, DIGEST, HEX, promise, type Parser } from './parser';

/** Texts with a grammar of their own. */
export const TEXTS: readonly Parser[] = [
  {
    name: 'image references',
    seeds: ['nginx', 'ghcr.io/a/b:1.2@' + DIGEST, 'localhost:5000/x_y/z:latest', '[::1]:5000/a'],
    pieces: ['/', ':', '@', '.', '_', '-', 'sha256:', 'docker.io/', 'library/', 'A', '[', ']', HEX],
    parse: (input) => {
      const read = parseImageReference(input);
      const again = parseImageReference(formatReference(read));
      promise(JSON.stringify(again) === JSON.stringify(read), 'the normal spelling is another image');
      return [splitReference(input), readName(input)];
    },
  },
  {
    name: 'tags',
    seeds: ['1.28.0-alpine3.20', 'v2.3-rc.1', '17.4-bookworm', '2024-01-02T03', 'latest'],
    pieces: ['.', '-', '_', 'v', 'rc', 'alpha', '0', '9'.repeat(30), 'alpine', 'sha256-'],
    parse: (input) => [parseTag(input), readVersion(input)],
  },
  {
    name: 'nginx configuration',
    seeds: [
      '# configuration file /etc/nginx/nginx.conf:\nhttp { include conf.d/*.conf; }\n# configuration file /etc/nginx/conf.d/a.conf:\nserver { listen 443 ssl; server_name a.b ~^x; location / { proxy_pass http://app:80; } ssl_certificate /c.pem; }\n',
      '# configuration file /n.conf:\nupstream a { server b:1; }\nstream { server { listen 1; proxy_pass a; } }\n',
    ],
    pieces: [
      '{',
      '}',
      ';',
      '"',
      "'",
      '\\',
      '#',
      '$',
      '\n',
      'include ',
      'server ',
      'http ',
      'location ',
      'map $a $b ',
      '# configuration file ',
      ':\n',
      '*',
      '[',
      '*.conf',
      'listen ',
      'if (',
    ],
    parse: (input) => [readConfiguration(input), nginxSites(input), nginxUpstreams(input)],
  },
  {
    name: 'env files',
    seeds: ['A=1\nexport B="x\\n${A}"\n# c\nC=\'y\'\n', 'TAG=${X:-1.2}\r\n'],
    pieces: ['=', '"', "'", '\\', '#', '\n', '\r\n', '$', '${', '}', ':-', ':?', 'export ', 'A', '\ufeff'],
    parse: (input) => [readEnvFile(input), readPieces(input)],
  },
  {
    name: 'compose files',
    seeds: [
      'services:\n  web:\n    image: nginx:${TAG:-1.27}\n    ports: ["80:80"]\n',
      'x: &a {image: "nginx:1.27"}\nservices:\n  web: *a\n',
      'services: {web: {extends: {service: x, file: y.yml}, image: nginx:1.27}}',
    ],
    pieces: [
      'services:',
      'web:',
      'image:',
      'nginx:1.27',
      '&a ',
      '*a',
      '<<: ',
      '- ',
      '? ',
      '| ',
      '>\n',
      '!reset ',
      '---\n',
      '{',
      '}',
      '"',
      "'",
      '\n',
      '  ',
      '${',
      '}',
      ':-',
      '%YAML 9.9\n',
      '\t',
      '!!binary ',
    ],
    parse: (input) => {
      const composeFiles = [{ path: '/p/compose.yml', text: input }];
      const asked = { service: 'web', oldReference: 'nginx:1.27', newReference: 'nginx:1.28' };
      const decided = decideTagEdit({ ...asked, composeFiles, envFiles: [{ path: '/p/.env', text: input }] });
      if (decided.kind !== 'edit') return;
      const { offset, before, after } = decided.edit;
      const edited = applyEdit(input, decided.edit);
      const back = edited.slice(0, offset) + before + edited.slice(offset + after.length);
      promise(back === input, 'more than the tag is edited');
    },
  },
  {
    name: 'cron, windows and durations',
    seeds: [
      '30 3 * * 0',
      'Sat,Sun 02:00-05:00; Mon-Fri 03:00-04:00',
      '1h30m',
      '7d',
      '0 0 1 1 ?',
      '*/5 1-3 * JAN MON#2',
    ],
    pieces: [
      '*',
      '/',
      '-',
      ',',
      ';',
      ':',
      ' ',
      '0',
      '59',
      '99',
      'Mon',
      'JAN',
      'L',
      '#',
      '?',
      'h',
      'm',
      's',
      'd',
      '02:00',
      '1e9',
      '9'.repeat(20),
    ],
    parse: (input) => {
      const [duration] = [parseDuration(input), readWindow(input), cron.safeParse(input)];
      promise(duration === null || Number.isSafeInteger(duration), `the duration is ${duration}`);
    },
  },
  {
    name: 'labels, probes and rules',
    seeds: [
      'http://:8080/healthz',
      'exec:sh -c "x y"',
      'tcp://:5432',
      'key:/a.pem',
      'identity:^x$@https://a.b',
      '7d,4w,6m',
      '/data,/srv',
      'db:service_healthy:true,x:y:z',
    ],
    pieces: [
      ':',
      '/',
      '//',
      ',',
      '"',
      "'",
      '\\',
      ' ',
      '@',
      '^',
      '$',
      '(',
      '+',
      '*',
      'http',
      'exec:',
      'tcp:',
      '99999',
      '-1',
      'true',
      '\u0000',
    ],
    parse: (input) => {
      for (const name of LABELS) readLabels({ 'diun.enable': 'true', [name]: input });
      readProbe(input);
      parseFlag(input);
      return [readDependsOn(input), readRestartsWith(input), splitCommand(input), readVerify(input)];
    },
  },
  {
    name: 'addresses of the settings',
    seeds: [
      'smtps://u:p@a.b:465',
      's3://bucket/prefix?region=x',
      'restic:s3:https://a.b/c',
      'file:///a',
      'ntfy://a.b/c?topics=failures',
      'https://a.b/ping',
    ],
    pieces: [
      '://',
      ':',
      '@',
      '/',
      '?',
      '#',
      '&',
      '=',
      '%',
      '%zz',
      'a.b',
      '[::1]',
      'restic:',
      'ntfy',
      'apprise',
      'topics=',
      ' ',
      ',',
    ],
    parse: (input) =>
      [readHttpUrl, readHeartbeatUrl, readBackupUrl, readMailUrl, readNotifyUrls, readNotesHosts].map((read) =>
        read(input),
      ),
  },
  {
    name: 'roles of a database',
    seeds: [
      'CREATE ROLE "a b";\nALTER ROLE "a b" WITH NOSUPERUSER LOGIN PASSWORD \'SCRAM$1\' VALID UNTIL \'infinity\';\nGRANT x TO "a b" WITH ADMIN OPTION GRANTED BY postgres;\n',
      "ALTER ROLE a SET search_path TO 'x', 'y';\nCOMMENT ON ROLE a IS E'b\\\\c';\n-- c\n\\connect x\n",
    ],
    pieces: [
      'CREATE ROLE ',
      'ALTER ROLE ',
      'GRANT ',
      ' TO ',
      ' SET ',
      'WITH ',
      ';',
      "'",
      "''",
      '"',
      '""',
      "E'",
      '\\',
      '$$',
      '--',
      '/*',
      '\n',
      ',',
      '(',
      'postgres',
      'SUPERUSER',
      '\u0000',
    ],
    parse: (input) => {
      for (const sql of missingRoles(input, new Set()).statements) {
        promise(ROLE_STATEMENT.test(sql) && splitSql(sql).length === 1, `it would run ${sql}`);
      }
    },
  },
  {
    name: 'small files and lists of commands',
    seeds: [
      '1\n/data\n1\n5432\n/run\n*\n',
      'Filesystem 1024-blocks Used Available Capacity Mounted on\nx 1 2 3 4% /\n',
      "find: '/a/b': Permission denied\n",
    ],
    pieces: ['\n', ' ', '/', ': ', "'", 'find: ', 'A', '0', '9'.repeat(25), '%', '::', '*', '\\'],
    parse: (input) => [
      ...[parsePostmasterPid(input), parseDf(input.split('\n')), readErrors(input), splitDetail(input)],
      readRetryAfter(input, new Date(0)),
    ],
  },
  {
    name: 'certificates',
    seeds: ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    pieces: ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '\n', '0\u0082', 'AAAA', '='],
    parse: (input) => [parseCertificate(input, 'it'), parseCertificate(bytes(input), 'it')],
  },
];

const ROLE_STATEMENT = /^(?:CREATE ROLE|ALTER ROLE|COMMENT ON ROLE|SECURITY LABEL FOR|GRANT|REVOKE) /;
const LABELS = [
  ...['diun.enable', 'update.policy', 'update.probe', 'update.allow', 'update.window', 'update.soak', 'update.verify'],
  ...[
    'update.keep-images',
    'update.stack-file',
    'update.min-age',
    'update.rehearse',
    'update.probe.timeout',
    'update.tags',
    'update.source',
  ],
  ...['backup.kind', 'backup.paths', 'backup.databases', 'backup.quiesce', 'renewal.role', 'backup.keep'],
];
