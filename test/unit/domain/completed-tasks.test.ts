import type { ServiceInspect, TaskInspect } from '../../../src/domain/services/swarm-inspect';
import { failureOf } from '../../../src/domain/services/tasks';

const IMAGE = 'registry/web:1@sha256:1';
const service = { Spec: { Name: 'web' } } as ServiceInspect;
const nodes = new Map([['n', { name: 'vm', down: false }]]);

const task = (ID: string, State: string, DesiredState: string, at: string): TaskInspect =>
  ({
    ...{ ID, DesiredState, Slot: 1, NodeID: 'n', CreatedAt: at, Spec: { ContainerSpec: { Image: IMAGE } } },
    Status: { State, ContainerStatus: { ExitCode: 0 } },
  }) as unknown as TaskInspect;

// As Swarm told it of an image whose HEALTHCHECK never passes, on a busy machine: nginx had ended with 0 when it was stopped.
test('a task that was stopped as unhealthy and exited with 0 counts against the image, not the task that waits for its turn', () => {
  const tasks = [task('new', 'assigned', 'running', '2'), task('first', 'complete', 'shutdown', '1')];
  expect(failureOf(service, tasks, IMAGE, nodes)).toMatchObject({
    code: 'unhealthy',
    detail: 'web.1 on vm: complete (exit code 0: it ended, or was stopped as unhealthy)',
  });
});

test('a task that Swarm ended, as on a node that is drained, does not', () => {
  const tasks = [task('new', 'assigned', 'running', '2'), task('first', 'shutdown', 'shutdown', '1')];
  expect(failureOf(service, tasks, IMAGE, nodes)).toBeNull();
});
