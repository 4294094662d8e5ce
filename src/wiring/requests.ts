import { decideById, type Decided } from '../decisions/approve';
import { requestBackups } from '../backups/request-backup';
import { lookAtCertificates } from '../certificates/look';
import { findPlaces } from '../certificates/renewal-places';
import { requestRenewal } from '../certificates/renewal-queue';
import { foreseeCarryOvers } from '../containers/carry-over/refusals';
import { findUnhealthy } from '../containers/check-health';
import { readContainers } from '../containers/read-containers';
import { requestUpdate } from '../decisions/request-update';
import { lookAtSignatures, type SignatureSeen } from '../decisions/signatures';
import type { Deps } from '../deps';
import type { BackupRecord } from '../domain/backups/backup';
import type { CertificateSeen } from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import { refuseWhileObserving } from '../domain/mode';
import type { HealthFailure } from '../domain/health/health-failure';
import type { CarryOver } from '../domain/recreate/carry-over';
import type { RenewalRecord } from '../domain/certificates/renewal';
import type { RestoreRecord } from '../domain/backups/restore';
import type { Rehearsal } from '../domain/rehearsal/rehearsal';
import type { DecidedBy, Update } from '../domain/update';
import type { Progress } from '../lib/logger';
import { requestRehearsal } from '../rehearsals/request-rehearsal';
import type { RestorePlan } from '../restores/plan-restore';
import {
  planOfRestore,
  rehearse,
  requestRestore,
  type PlannedRestore,
  type RestoreRequest,
} from '../restores/request-restore';
import type { SwarmSeen } from '../domain/services/swarm-seen';
import { lookAtSwarm, readTargets } from '../services/read-targets';
import { foreseeTag, type TagForesight } from '../updates/new-tag/foresee-tag';

/** What a person may ask for, at the command line, on the page or by the API. What is to be done is queued, and the worker woken. */
export interface Requests {
  /** Read through the engine, labels parsed. */
  containers(): Promise<Container[]>;
  /** The Swarm that the engine is in, and on a manager its services, as policy sees them. */
  swarm(): Promise<SwarmSeen>;
  /** `by`: left out, the API. */
  requestUpdate(request: { container: string; image?: string }, by?: DecidedBy): Promise<Update>;
  /** Throws `update_not_found` and `not_waiting`. */
  requestRehearsal(updateId: string, by?: 'link'): Rehearsal;
  requestBackups(request: { project?: string }): Promise<BackupRecord[]>;
  /** What a restore would do; changes nothing. */
  planRestore(request: RestoreRequest): Promise<PlannedRestore>;
  /** Reads the whole set as a restore would; changes nothing. */
  rehearseRestore(plan: RestorePlan, onProgress: Progress): Promise<void>;
  requestRestore(plan: PlannedRestore, request: Pick<RestoreRequest, 'project' | 'trust'>): RestoreRecord;
  /** Renews what is due, as soon as nothing else runs. */
  requestRenewal(): RenewalRecord;
  /** Decides on an update that waits; rejects with `update_not_found`, `not_waiting`, `no_window` and `registry_refused`. */
  decideById(id: string, decided: Decided | 'window', by: DecidedBy): Promise<Update>;
  /** What only looks, for `check`. */
  look: {
    /** What would become of a newer tag; null: none is looked for. */
    newTag(container: Container): Promise<TagForesight | null>;
    /** Which of them fail their own health check now, by id. */
    unhealthy(containers: readonly Container[]): Promise<ReadonlyMap<string, HealthFailure>>;
    /** What a replacement of each would be refused for or would lose, by ID. */
    carryOver(containers: readonly Container[]): Promise<ReadonlyMap<string, CarryOver>>;
    /** Whether what they run is signed, as required where something is. */
    signatures(containers: readonly Container[]): Promise<SignatureSeen[]>;
    /** Every certificate, as served and as on disk now. */
    certificates(): Promise<CertificateSeen[]>;
  };
}

export function requestsOf(deps: Deps, wake: () => void): Requests {
  const containers = (): Promise<Container[]> => readContainers(deps.engine, deps.selfId);
  const queued = <T>(asked: T): T => {
    wake();
    return asked;
  };
  return {
    containers,
    swarm: () => lookAtSwarm(deps),
    requestUpdate: async (request, by) => queued(await requestUpdate(deps, request, by)),
    requestRehearsal: (updateId, by) => queued(requestRehearsal(deps, updateId, by)),
    requestBackups: async (request) => {
      const there = { store: deps.store, containers: await readTargets(deps) };
      return queued(requestBackups(there, { ...request, reason: 'operator' }));
    },
    planRestore: (request) => planOfRestore(deps, request),
    rehearseRestore: (plan, onProgress) => rehearse(deps, plan, onProgress),
    requestRestore: (plan, request) => {
      refuseWhileObserving(deps.mode, 'No restore was queued.');
      return queued(requestRestore(deps.store, plan, request));
    },
    requestRenewal: () => queued(requestRenewal(deps, { reason: 'operator' })),
    decideById: async (id, decided, by) => queued(await decideById(deps, id, decided, by)),
    look: {
      newTag: (container) => foreseeTag(deps, container),
      unhealthy: (containers) => findUnhealthy(deps, containers),
      carryOver: (containers) => foreseeCarryOvers(deps, containers),
      signatures: (containers) => lookAtSignatures(deps, containers),
      certificates: async () => lookAtCertificates(deps, await findPlaces(deps)),
    },
  };
}
