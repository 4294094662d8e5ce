import type { NodeInspect, ServiceInspect, ServiceSpec, TaskInspect } from '../domain/services/swarm-inspect';

/**
 * The Swarm that the engine belongs to. The engine schedules, rolls out and rolls back; what is here only looks, and asks for
 * one update. Rejects with an `EngineError` as the port `Engine` does. A Swarm without a leader is `engine_unreachable`, since
 * the question can be put again later; what needs a manager is `engine_refused` on any other engine.
 */
export interface Swarm {
  /** What this engine is in a Swarm. Works on every engine. */
  role(): Promise<SwarmRole>;
  /** All services. */
  services(): Promise<ServiceInspect[]>;
  /** Name or ID. Rejects with `service_not_found`. */
  service(nameOrId: string): Promise<ServiceInspect>;
  /** Every task that the engine still remembers, of all nodes. */
  tasks(serviceId: string): Promise<TaskInspect[]>;
  nodes(): Promise<NodeInspect[]>;
  /**
   * `update` to a new image, with the login of this process for its registry, so that the nodes can pull it; without one, the
   * service keeps the login that it has. Rejects with `registry_refused`, and changes nothing, if the login cannot be read.
   */
  rollOut(seen: Pick<ServiceInspect, 'ID' | 'Version'>, spec: ServiceSpec): Promise<void>;
  /**
   * Gives the service a spec, with the login for its registry that it has: no other is needed to scale it or to go back. `seen`:
   * the service as read just before. Rejects with `changed_meanwhile`, and changes nothing, if another client updated it since.
   * Resolves once the engine has accepted it: the rollout begins then.
   */
  update(seen: Pick<ServiceInspect, 'ID' | 'Version'>, spec: ServiceSpec): Promise<void>;
  /** Goes back to the spec before the last update (`rollback=previous`). Rejects as `update`. */
  rollBack(seen: Pick<ServiceInspect, 'ID' | 'Version' | 'Spec'>): Promise<void>;
}

/** `nodeId`: of this engine. */
export type SwarmRole = { role: 'none' } | { role: 'worker' | 'manager'; nodeId: string };
