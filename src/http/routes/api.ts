import type { RequestHandler } from 'express';
import { findUpdate } from '../../decisions/approve';
import { type Certificate, type CertificateSeen, daysLeft } from '../../domain/certificates/certificate';
import type { LoginCount } from '../access/failed-logins';
import {
  auditQuery,
  backupRequest,
  backupsQuery,
  renewalRequest,
  renewalsQuery,
  updateRequest,
  updatesQuery,
  type AuditJson,
  type BackupJson,
  type CertificateSeenJson,
  type RenewalJson,
  type RenewalsJson,
} from '../api/schemas';
import { jsonOf } from '../api/update-json';
import type { HttpDeps } from '../deps';
import { readJson, readJsonOrNothing, validate, validateQuery } from '../request/read-body';
import type { Methods } from '../route';
import { noteInLog } from '../telemetry/access-log';

type UpdateDeps = Pick<HttpDeps, 'store' | 'requestUpdate' | 'requestRehearsal'>;

export function updatesMethods(deps: UpdateDeps, guard: RequestHandler): Methods {
  const { store } = deps;
  const list: RequestHandler = (request, response) => {
    const page = store.updates.list(validateQuery(updatesQuery, request));
    response.json({ updates: page.updates.map((update) => jsonOf(store, update)), next: page.next });
  };

  const create: RequestHandler = async (request, response) => {
    const update = await deps.requestUpdate(validate(updateRequest, await readJson(request), 'body'));
    noteInLog(response, { update: update.id });
    response.status(202).location(`/updates/${update.id}`).json(jsonOf(store, update));
  };

  return { get: [guard, list], post: [guard, create] };
}

/** Asks for a rehearsal; one that is under way is the answer. */
export function rehearsalMethods({ store, requestRehearsal }: UpdateDeps, guard: RequestHandler): Methods {
  const create: RequestHandler = (request, response) => {
    const { id = '' } = request.params as { id?: string };
    requestRehearsal(id);
    noteInLog(response, { update: id });
    response
      .status(202)
      .location(`/updates/${id}`)
      .json(jsonOf(store, findUpdate(store, id)));
  };
  return { post: [guard, create] };
}

export function backupsMethods(deps: Pick<HttpDeps, 'store' | 'requestBackups'>, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit } = validateQuery(backupsQuery, request);
    const backups: BackupJson[] = deps.store.backups.list(limit);
    response.json({ backups });
  };

  /** Without a body: every project that has something to back up. */
  const create: RequestHandler = async (request, response) => {
    const body = await readJsonOrNothing(request);
    const backups: BackupJson[] = await deps.requestBackups(validate(backupRequest, body, 'body'));
    response.status(202).json({ backups });
  };

  return { get: [guard, list], post: [guard, create] };
}

type RenewalDeps = Pick<HttpDeps, 'store' | 'clock' | 'requestRenewal'>;

export function renewalsMethods({ store, clock, requestRenewal }: RenewalDeps, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit } = validateQuery(renewalsQuery, request);
    const now = clock.now();
    const certificates = store.certificates.list().map((seen) => withDaysLeft(seen, now));
    const answer: RenewalsJson = { renewals: store.renewals.list(limit), certificates };
    response.json(answer);
  };

  /** Without a body, or with an empty one: of everything on this engine, as soon as nothing else runs. */
  const create: RequestHandler = async (request, response) => {
    validate(renewalRequest, await readJsonOrNothing(request), 'body');
    const renewal: RenewalJson = requestRenewal();
    response.status(202).json(renewal);
  };

  return { get: [guard, list], post: [guard, create] };
}

function withDaysLeft(seen: CertificateSeen, now: Date): CertificateSeenJson {
  const lived = (certificate: Certificate | null): CertificateSeenJson['disk'] =>
    certificate && { ...certificate, daysLeft: daysLeft(certificate, now) };
  return { ...seen, disk: lived(seen.disk), served: lived(seen.served) };
}

/** `GET /audit`: newest first. Failed logins up to now are in it. */
export function auditMethods({ store }: Pick<HttpDeps, 'store'>, logins: LoginCount, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit, cursor } = validateQuery(auditQuery, request);
    logins.flush();
    const { entries, next } = store.audit.list({ limit, ...(cursor === undefined ? {} : { cursor: Number(cursor) }) });
    const answer: AuditJson = { entries, next: next === null ? null : String(next) };
    response.json(answer);
  };
  return { get: [guard, list] };
}
