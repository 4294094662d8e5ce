import type { ComposeProject } from '../lab/compose';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';

// Sparse files, hard links, FIFOs, devices, capabilities, names in any encoding, mounts inside of mounts.
const stage = openStage();
let dataDir: string;

beforeAll(() => {
  dataDir = stage.lab.scratch('pilot-data');
});

const cli = (...args: string[]) => runPilot(stage.lab, dataDir, args);

async function goodBackup(project: ComposeProject): Promise<string> {
  const { code, stdout, stderr } = await cli('backup', '--project', project.name, '--json');
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { backups: { id: string }[] }).backups[0]?.id ?? '';
}

/** A container that does nothing but hold `/data`. */
async function holder(name: string, volumes: string[], more: object = {}): Promise<ComposeProject> {
  const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
  const holds = { image: stage.lab.images.DEBIAN_13, command: ['sleep', 'infinity'], init: true, volumes, labels };
  return stage.project(name, { app: { ...holds, ...more } }, { top: { volumes: { files: {}, nested: {} } } });
}

const sh = (project: ComposeProject, script: string): Promise<string> =>
  project.compose(['exec', '-T', 'app', 'sh', '-c', `cd /data && ${script}`]);

/** The extended attributes and the socket are what a tar of the engine cannot have. */
const UNUSUAL = `
  mkdir -p "a b" sub/empty "$(printf 'dir\\200')" b; chmod 0 sub/empty; chmod 1777 .; chmod 2750 "a b"
  echo s > hard1; ln hard1 hard2; ln hard1 "a b/hard3"; ln -s /etc/passwd absolute; ln -s nowhere dangling
  truncate -s 64M sparse; printf x | dd of=sparse bs=1 seek=60000000 conv=notrunc 2>/dev/null
  mkfifo -m 640 fifo; mknod device c 1 3; echo x > "$(printf 'dir\\200/f\\377')"; echo y > "$(printf 'line\\nbreak')"
  echo w > .wh.white; echo w > ./-dash; echo u > suid; chown 70000:3000000 suid; chmod 4755 suid; : > zero
  long=$(printf 'n%.0s' $(seq 240)); mkdir -p $long/$long; echo deep > $long/$long/$long
  echo n > nested/inside; echo b > bound/inside; touch -d 2100-01-01 future; touch -d '2001-02-03 04:05:06' past
  cp /bin/true capable; chmod 755 capable
  perl -e 'use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un(q(socket))) or die;
    my $n = (POSIX::uname())[4] eq q(aarch64) ? 5 : 188;
    my $cap = pack(q(V5), 0x02000001, 0x2000, 0, 0, 0);
    my @set = ([q(capable), q(security.capability), $cap], [q(zero), q(user.note), q(hi)]);
    for (@set) { my ($f, $k, $v) = @$_; syscall($n, $f, $k, $v, length $v, 0) == 0 or die qq($k $!) }' -MPOSIX`;

/** Every path with all that is to be the same again, then the content of all files, and the capabilities. */
const LISTED = `find . -path './.diun-pilot-*' -prune -o \\( ! -name socket -printf '%P|%y|%m|%U:%G|%s|%n|%l|%TY-%Tm-%Td %TH:%TM\\n' \\) | sort | perl -pe 's/([^ -~\\n])/sprintf(q(<%02x>), ord $1)/ge'
  find . -type f ! -path './.diun-pilot-*' -print0 | sort -z | xargs -0 sha256sum
  perl -MPOSIX -e 'my $n = (POSIX::uname())[4] eq q(aarch64) ? 8 : 191; my $v = qq(\\0) x 64;
    my ($f, $k) = qw(capable security.capability); print syscall($n, $f, $k, $v, 64), unpack(q(H*), $v)'`;

test('files of every kind come back as they were, in mounts inside of mounts too', async () => {
  const bound = stage.lab.scratch('bound');
  const volumes = ['files:/data', 'nested:/data/nested', `${bound}:/data/bound`];
  const project = await holder('unusual', volumes, { tmpfs: ['/data/memory'] });
  await sh(project, UNUSUAL);
  await sh(project, 'echo m > memory/gone');
  const before = (await sh(project, LISTED)).split('\n');
  expect(before.length).toBeGreaterThan(40);
  const set = await goodBackup(project);

  await sh(
    project,
    'rm -rf hard* "a b" sub dir* suid fifo .wh.white capable; echo new > newer; echo 2 > nested/inside',
  );
  const restored = await cli('restore', set, '--yes');
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  const kept = (line: string): boolean => !/^(nested|bound)?\|d|memory|\.diun-pilot-before-/.test(line);
  expect((await sh(project, LISTED)).split('\n').filter(kept)).toEqual(before.filter(kept));
  expect(await sh(project, 'ls socket 2>/dev/null | wc -l; cat .diun-pilot-before-*/newer')).toBe('0\nnew');
});
