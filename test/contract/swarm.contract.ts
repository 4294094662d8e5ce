import type { ServiceInspect, ServiceSpec, TaskInspect } from '../../src/domain/services/swarm-inspect';
import type { Swarm } from '../../src/ports/swarm';
import { eventually } from '../support/eventually';

/** A manager with one service of one task, and three images: what it runs, one that works as well, and one that ends at once. */
export interface SwarmScene {
  swarm: Swarm;
  service: string;
  /** As a spec names them, with tag and digest. */
  images: { old: string; next: string; failing: string };
  /** Where time only passes when it is told to. */
  passTime?(): Promise<void>;
  /** The processes of its tasks end, and no one asked for that. */
  killTasks(): Promise<void>;
  /** `docker service rm`. */
  remove(): Promise<void>;
  takeDown(): Promise<void>;
}

const ENDED: readonly string[] = ['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'];

/** What diun-pilot relies on when it updates a service: versions, the state of a rollout, its tasks, and the way back. */
export function swarmContract(name: string, setUp: () => Promise<SwarmScene>): void {
  describe(`${name} is a manager of a Swarm`, () => {
    let scene: SwarmScene;
    let swarm: Swarm;

    beforeAll(async () => {
      scene = await setUp();
      swarm = scene.swarm;
    }, 120_000);

    afterAll(() => scene?.takeDown());

    const withImage = ({ Spec }: ServiceInspect, Image: string): ServiceSpec => ({
      ...Spec,
      TaskTemplate: { ...Spec.TaskTemplate, ContainerSpec: { ...Spec.TaskTemplate.ContainerSpec, Image } },
    });
    const isIn = (state: string): Promise<ServiceInspect> =>
      eventually(
        `the service is ${state}`,
        async () => {
          await scene.passTime?.();
          const service = await swarm.service(scene.service);
          if (service.UpdateStatus?.State === state) return service;
          throw new Error(JSON.stringify(service.UpdateStatus));
        },
        { timeoutMs: 60_000 },
      );
    const wanted = (tasks: TaskInspect[]): unknown[] =>
      tasks
        .filter(({ DesiredState }) => DesiredState === 'running')
        .map(({ Spec, Status, NodeID }) => [Spec.ContainerSpec?.Image, Status.State, NodeID]);

    /** Waits for so many tasks that run, none of them `without`. */
    const running = (count: number, without?: string): Promise<TaskInspect[]> =>
      eventually(
        `${count} tasks run`,
        async () => {
          await scene.passTime?.();
          const found = (await swarm.tasks(scene.service)).filter(
            ({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running',
          );
          if (found.length === count && found.every(({ ID }) => ID !== without)) return found;
          throw new Error(found.map(({ ID }) => ID).join());
        },
        { timeoutMs: 60_000 },
      );

    it('names its own node, which is one of the nodes', async () => {
      const role = await swarm.role();
      expect(role).toMatchObject({ role: 'manager' });
      const nodes = await swarm.nodes();
      expect(nodes.map(({ ID }) => ID)).toContain('nodeId' in role && role.nodeId);
      expect(nodes[0]?.Description.Hostname).toEqual(expect.any(String));
    });

    it('gives a service by name and by ID, alone and in the list, and rejects another name', async () => {
      const service = await swarm.service(scene.service);
      expect(await swarm.service(service.ID)).toEqual(service);
      expect(await swarm.services()).toContainEqual(service);
      expect(service.Spec.TaskTemplate.ContainerSpec?.Image).toBe(scene.images.old);
      expect(service.UpdateStatus?.State).toBeUndefined();
      await expect(swarm.service('no-such-service')).rejects.toMatchObject({ code: 'service_not_found' });
    });

    it('changes nothing for a version that is not the newest', async () => {
      const service = await swarm.service(scene.service);
      const older = { ID: service.ID, Version: { Index: service.Version.Index - 1 } };
      await expect(swarm.update(older, withImage(service, scene.images.next))).rejects.toMatchObject({
        code: 'changed_meanwhile',
      });
      expect(await swarm.service(scene.service)).toEqual(service);
    });

    it('rolls a new image out, remembers the spec before, and goes back to it', async () => {
      const before = await swarm.service(scene.service);
      await swarm.update(before, withImage(before, scene.images.next));
      const updated = await isIn('completed');
      expect(updated.PreviousSpec?.TaskTemplate.ContainerSpec?.Image).toBe(scene.images.old);
      const node = expect.any(String);
      expect(wanted(await swarm.tasks(updated.ID))).toEqual([[scene.images.next, 'running', node]]);
      await swarm.rollBack(updated);
      const back = await isIn('rollback_completed');
      expect(back.Spec.TaskTemplate.ContainerSpec?.Image).toBe(scene.images.old);
      expect(back.PreviousSpec?.TaskTemplate.ContainerSpec?.Image).toBe(scene.images.next);
      expect(wanted(await swarm.tasks(updated.ID))).toEqual([[scene.images.old, 'running', node]]);
    });

    it('scaled to 0 has no task, and scaled up with a new image has no rollout that it would pause', async () => {
      const before = await swarm.service(scene.service);
      const withReplicas = (spec: ServiceSpec, Replicas: number): ServiceSpec => ({
        ...spec,
        Mode: { Replicated: { Replicas } },
      });
      const tasksAre = (state: string, image: string | null): Promise<boolean> =>
        eventually(
          `the tasks are ${state}`,
          async () => {
            await scene.passTime?.();
            const alive = (await swarm.tasks(before.ID)).filter(({ Status }) => !ENDED.includes(Status.State));
            const told = alive.map(({ Spec, Status }) => `${Status.State} ${Spec.ContainerSpec?.Image}`).join();
            if (told !== (image === null ? '' : `${state} ${image}`)) throw new Error(told);
            return true as const;
          },
          { timeoutMs: 60_000 },
        );
      await swarm.update(before, withReplicas(before.Spec, 0));
      await tasksAre('none', null);
      const empty = await swarm.service(scene.service);
      expect(empty.UpdateStatus?.State).toBeUndefined();
      await swarm.update(empty, withReplicas(withImage(empty, scene.images.next), 1));
      await tasksAre('running', scene.images.next);
      const up = await swarm.service(scene.service);
      expect([up.UpdateStatus?.State, up.PreviousSpec?.Mode.Replicated?.Replicas]).toEqual([undefined, 0]);
      await swarm.update(up, withImage(up, scene.images.old));
      await isIn('completed');
    });

    it('pauses at an image that ends, names the task and its error, and goes back from there', async () => {
      const before = await swarm.service(scene.service);
      await swarm.update(before, withImage(before, scene.images.failing));
      const paused = await isIn('paused');
      const failed = (await swarm.tasks(paused.ID)).filter(({ Status }) => Status.State === 'failed');
      expect(failed.length).toBeGreaterThan(0);
      expect(failed[0]).toMatchObject({
        NodeID: expect.any(String),
        Spec: { ContainerSpec: { Image: scene.images.failing } },
        Status: { Err: expect.stringMatching(/non-zero exit/) },
      });
      expect(paused.UpdateStatus?.Message).toContain('update paused due to failure');
      await swarm.rollBack(paused);
      const back = await isIn('rollback_completed');
      expect(back.Spec.TaskTemplate.ContainerSpec?.Image).toBe(scene.images.old);
      const kept = (await swarm.tasks(back.ID)).filter(({ Status }) => Status.State === 'failed');
      expect(kept.map(({ Spec }) => Spec.ContainerSpec?.Image)).toContain(scene.images.failing);
    });

    it('scaled up and down keeps the tasks that it wants, and has no rollout', async () => {
      const before = await swarm.service(scene.service);
      const ids = async (count: number): Promise<string[]> => (await running(count)).map(({ ID }) => ID);
      const scaled = async (replicas: number): Promise<string[]> => {
        const now = await swarm.service(before.ID);
        await swarm.update(now, { ...now.Spec, Mode: { Replicated: { Replicas: replicas } } });
        const found = await ids(replicas);
        expect((await swarm.service(before.ID)).UpdateStatus?.State).toBeUndefined();
        return found;
      };
      const [first] = await ids(1);
      const two = await scaled(2);
      expect(two).toContain(first);
      const [last] = await scaled(1);
      expect(two).toContain(last);
    });

    it('has another task of the same image for one whose process ends, which is said to have failed', async () => {
      const [before] = await running(1);
      await scene.killTasks();
      const [after] = await running(1, before?.ID);
      expect(after?.Spec.ContainerSpec?.Image).toBe(before?.Spec.ContainerSpec?.Image);
      const ended = (await swarm.tasks(scene.service)).find(({ ID }) => ID === before?.ID);
      expect(ended).toMatchObject({ DesiredState: 'shutdown', Status: { State: 'failed' } });
      expect((await swarm.service(scene.service)).UpdateStatus?.State).toBeUndefined();
    });

    it('is not there once it was removed', async () => {
      const { ID } = await swarm.service(scene.service);
      await scene.remove();
      await expect(swarm.service(ID)).rejects.toMatchObject({ code: 'service_not_found' });
      expect((await swarm.services()).map(({ Spec }) => Spec.Name)).not.toContain(scene.service);
    });
  });
}
