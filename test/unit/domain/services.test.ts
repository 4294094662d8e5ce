import { rolloutWithinMs } from '../../../src/domain/services/plan-rollout';
import type { ServiceInspect, TaskInspect } from '../../../src/domain/services/swarm-inspect';
import { failureOf, viewTasks, whyStuck } from '../../../src/domain/services/tasks';
import { imageOfService, toTarget } from '../../../src/domain/services/to-target';

const IMAGE = 'nginx:1@sha256:1';
const NODES = new Map([
  ['n1', { name: 'node-a', down: false }],
  ['n2', { name: 'node-b', down: true }],
]);
const service = (fields: Partial<ServiceInspect['Spec']> = {}): ServiceInspect => ({
  ID: 's1',
  Version: { Index: 1 },
  CreatedAt: '',
  UpdatedAt: '',
  Spec: {
    Name: 'site_web',
    Mode: { Replicated: { Replicas: 2 } },
    TaskTemplate: { ContainerSpec: { Image: IMAGE } },
    ...fields,
  },
});
const task = (Slot: number, Status: TaskInspect['Status'], fields: Partial<TaskInspect> = {}): TaskInspect => ({
  ID: `t${Slot}`,
  ServiceID: 's1',
  Slot,
  NodeID: 'n1',
  CreatedAt: String(Slot),
  DesiredState: 'running',
  Status,
  Spec: { ContainerSpec: { Image: IMAGE } },
  ...fields,
});

test.each([
  ['nginx:1.28@sha256:1', undefined, 'nginx:1.28', 'sha256:1'],
  ['registry:5000/a/b:1@sha256:1', 'registry:5000/a/b:1', 'registry:5000/a/b:1', 'sha256:1'],
  ['nginx:1.28', undefined, 'nginx:1.28', null],
  ['nginx@sha256:1', undefined, 'nginx@sha256:1', 'sha256:1'],
  ['nginx:1.28@sha256:1', 'nginx:1.28@sha256:1', 'nginx:1.28@sha256:1', 'sha256:1'],
])('%s, as the stack file says %s, is %s at %s', (image, inStackFile, reference, digest) => {
  expect(imageOfService(image, inStackFile)).toEqual({ reference, digest });
});

test('a label that means nothing for a service is reported', () => {
  const labels = { 'diun.enable': 'true', 'update.strategy': 'handover' };
  const target = toTarget(service({ Labels: labels }), { self: false, door: false });
  expect(target?.labels).toMatchObject({ watched: true, strategy: 'recreate' });
  expect(target?.labels.problems).toEqual([
    expect.objectContaining({ label: 'update.strategy', message: expect.stringContaining('update_config decides') }),
  ]);
});

test('what belongs to the host is no data of a service, as it is none of a container', () => {
  const Mounts = [
    { Type: 'bind', Source: '/var/run/docker.sock', Target: '/var/run/docker.sock' },
    { Type: 'bind', Source: '/etc/localtime', Target: '/etc/localtime' },
    { Type: 'volume', Source: 'data', Target: '/data/' },
    { Type: 'volume', Source: 'inner', Target: '/data/inner' },
    { Type: 'volume', Source: 'fixed', Target: '/fixed', ReadOnly: true },
    { Target: '/anonymous' },
  ];
  const TaskTemplate = { ContainerSpec: { Image: IMAGE, Mounts } };
  expect(toTarget(service({ TaskTemplate }), { self: false, door: false })?.dataPaths).toEqual(['/anonymous', '/data']);
});

test.each([
  [{}, 'never'],
  [{ 'backup.quiesce': 'allowed' }, 'allowed'],
] as const)('a service is not stopped for a backup unless its label allows it: %j', (labels, quiesce) => {
  expect(toTarget(service({ Labels: labels }), { self: false, door: false })?.labels.quiesce).toBe(quiesce);
});

test('every task that is wanted must run the image', () => {
  const running = task(1, { State: 'running' });
  const old = task(3, { State: 'running' }, { DesiredState: 'shutdown' });
  const starting = task(2, { State: 'starting' });
  expect(viewTasks(service(), [running, old, starting], IMAGE, NODES)).toEqual({
    allRun: false,
    running: ['t1'],
    detail: '1 of 2 tasks run the image; site_web.2 on node-a: starting',
  });
  expect(viewTasks(service(), [running, task(2, { State: 'running' })], IMAGE, NODES).allRun).toBe(true);
  expect(viewTasks(service(), [running, task(2, { State: 'running' })], 'nginx:2@sha256:2', NODES).allRun).toBe(false);
});

test.each([
  ['failed', 'task: non-zero exit (1)', 'unhealthy'],
  ['failed', 'task: unhealthy container', 'unhealthy'],
  ['failed', 'starting container failed: exec: "x": executable file not found in $PATH', 'recreate_failed'],
  ['rejected', 'No such image: nginx:1@sha256:1', 'pull_failed'],
  ['rejected', 'invalid mount config for type "bind": bind source path does not exist', 'recreate_failed'],
  ['pending', 'no suitable node (host-mode port already in use on 1 node)', 'preflight_blocked'],
] as const)('a task that is %s with “%s” is %s', (State, Err, code) => {
  expect(failureOf(service(), [task(1, { State, Err })], IMAGE, NODES)).toMatchObject({ code });
});

test.each([
  ['preparing', 'pull_failed'],
  ['starting', 'unhealthy'],
  ['pending', 'preflight_blocked'],
] as const)('a rollout that is stuck at %s is %s, with the node and the state', (State, code) => {
  const stuck = whyStuck(service(), [task(1, { State })], NODES);
  expect(stuck).toEqual({ code, detail: `site_web.1 on node-a: ${State}` });
});

test.each(['preparing', 'starting', 'pending'] as const)(
  'a rollout that is stuck at %s on a node that is down is not held against the image',
  (State) => {
    const stuck = whyStuck(service(), [task(1, { State }, { NodeID: 'n2' })], NODES);
    expect(stuck).toEqual({ code: 'preflight_blocked', detail: `site_web.1 on node-b, which is down: ${State}` });
  },
);

test('more batches have more time', () => {
  const config = { Parallelism: 1, Delay: 10e9, Monitor: 5e9 };
  const within = (tasks: number, Parallelism: number): number =>
    rolloutWithinMs(service(), { ...config, Parallelism }, { tasks, startMs: 60_000 });
  expect(within(2, 1) - within(1, 1)).toBe(60_000 + 15_000 + 10_000);
  expect(within(9, 0)).toBe(within(1, 1));
});
