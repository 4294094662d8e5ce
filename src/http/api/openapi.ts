import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { diunBody } from '../../decisions/receive-webhook';
import { ACTIONS } from '../pages/operator/action-form';
import {
  actionForm,
  auditQuery,
  auditSchema,
  backupRequest,
  backupsQuery,
  backupsSchema,
  decisionForm,
  errorSchema,
  healthSchema,
  historyQuery,
  renewalRequest,
  renewalSchema,
  renewalsQuery,
  renewalsSchema,
  updateRequest,
  updateSchema,
  updatesQuery,
  updatesSchema,
  webhookAnswer,
} from './schemas';

type Document = ReturnType<OpenApiGeneratorV31['generateDocument']>;

/** The document of `/openapi.json`, made of the schemas that validate. */
export function openApiDocument(version: string, publicUrl: string): Document {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'apiToken', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'pagePassword', { type: 'http', scheme: 'basic' });
  registry.registerComponent('securitySchemes', 'webhookToken', { type: 'http', scheme: 'bearer' });
  for (const path of [
    ...forDiun(),
    ...forUpdates(),
    ...forApprovals(),
    ...forBackups(),
    ...forRenewals(),
    ...forOperation(),
    ...forActions(),
  ])
    registry.registerPath(path);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'diun-pilot', version, description: 'Unattended, safe updates of self-hosted containers.' },
    servers: [{ url: publicUrl }],
  });
}

/** The token as a bearer, or as the password of any user. */
const api: Record<string, string[]>[] = [{ apiToken: [] }, { pagePassword: [] }];

function forDiun(): RouteConfig[] {
  return [
    {
      ...describe('post', '/webhooks/diun', 'A notification of Diun: stored durably, then answered'),
      security: [{ webhookToken: [] }],
      request: { body: { content: json(diunBody), required: true } },
      responses: { 202: answer('Stored', webhookAnswer), ...errors(400, 401, 405, 413, 429) },
    },
  ];
}

function forUpdates(): RouteConfig[] {
  return [
    {
      ...describe('get', '/updates', 'Updates, newest first'),
      security: api,
      request: { query: updatesQuery },
      responses: { 200: answer('A page', updatesSchema), ...errors(400, 401, 403, 429) },
    },
    {
      ...describe('post', '/updates', 'Requests an update: the same path, the same guards'),
      security: api,
      request: { body: { content: json(updateRequest), required: true } },
      responses: { 202: answer('Accepted', updateSchema), ...errors(400, 401, 403, 404, 409, 413, 429, 502, 503) },
    },
    ...forOneUpdate(),
  ];
}

function forOneUpdate(): RouteConfig[] {
  const request = { params: z.object({ id: z.string() }) };
  return [
    {
      ...describe('get', '/updates/{id}', 'One update with its steps'),
      security: api,
      request,
      responses: {
        200: { description: 'The update; for a browser its live page', content: { ...json(updateSchema), ...html } },
        ...pageErrors(401, 403, 404, 429),
      },
    },
    {
      ...describe(
        'post',
        '/updates/{id}/rehearsal',
        'Tries the new image on a restored copy of the data, again if needed',
      ),
      security: api,
      request,
      responses: { 202: answer('Accepted', updateSchema), ...errors(401, 403, 404, 409, 429) },
    },
    {
      ...describe('get', '/updates/{id}/events', 'The update at once and at each change, until its end'),
      security: api,
      request,
      responses: { 200: events, ...errors(401, 403, 404, 429, 503) },
    },
  ];
}

/** Without a token of the API: the link is what admits. */
function forApprovals(): RouteConfig[] {
  const request = { params: z.object({ token: z.string() }) };
  return [
    {
      ...describe(
        'get',
        '/approvals/{token}',
        'The plan and its buttons; once approved, or by the link of any other mail, the live page. Changes nothing',
      ),
      request,
      responses: { 200: pageOf('The page'), ...pageErrors(403, 404, 410, 429) },
    },
    {
      ...describe('post', '/approvals/{token}', 'Decides, once'),
      request: {
        ...request,
        body: { content: { 'application/x-www-form-urlencoded': { schema: decisionForm } }, required: true },
      },
      responses: {
        200: pageOf('Declined'),
        303: { description: 'Approved, or a rehearsal is queued: see the page' },
        ...pageErrors(400, 403, 404, 409, 410, 413, 422, 429),
      },
    },
    {
      ...describe('get', '/approvals/{token}/events', 'As /updates/{id}/events, of the one update of the link'),
      request,
      responses: { 200: events, ...errors(403, 404, 410, 429, 503) },
    },
  ];
}

function forBackups(): RouteConfig[] {
  return [
    {
      ...describe('get', '/backups', 'Backups, newest first'),
      security: api,
      request: { query: backupsQuery },
      responses: { 200: answer('The backups', backupsSchema), ...errors(400, 401, 403, 429) },
    },
    {
      ...describe('post', '/backups', 'Takes a backup now, of one project or of all'),
      security: api,
      request: { body: { content: json(backupRequest), required: false } },
      responses: { 202: answer('Accepted', backupsSchema), ...errors(400, 401, 403, 404, 413, 429, 503) },
    },
  ];
}

function forRenewals(): RouteConfig[] {
  return [
    {
      ...describe('get', '/renewals', 'Renewals, newest first, and the certificates as served and as on disk'),
      security: api,
      request: { query: renewalsQuery },
      responses: { 200: answer('Renewals and certificates', renewalsSchema), ...errors(400, 401, 403, 429) },
    },
    {
      ...describe('post', '/renewals', 'Renews what is due, as soon as nothing else runs'),
      security: api,
      request: { body: { content: json(renewalRequest), required: false } },
      responses: { 202: answer('Accepted', renewalSchema), ...errors(400, 401, 403, 409, 413, 429) },
    },
  ];
}

function forOperation(): RouteConfig[] {
  return [
    {
      ...describe('get', '/health', 'Whether the service can do its work'),
      responses: { 200: answer('It can', healthSchema), 503: answer('It cannot', healthSchema), ...errors() },
    },
    {
      ...describe('get', '/', 'The operator page'),
      security: api,
      request: { query: historyQuery },
      responses: { 200: pageOf('The page'), ...pageErrors(400, 401, 403, 429) },
    },
    {
      ...describe('get', '/audit', 'The audit trail, newest first'),
      security: api,
      request: { query: auditQuery },
      responses: { 200: answer('A page', auditSchema), ...errors(400, 401, 403, 429) },
    },
    {
      ...describe('get', '/metrics', 'For Prometheus'),
      security: api,
      responses: {
        200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } },
        ...errors(401, 429),
      },
    },
    {
      ...describe('get', '/openapi.json', 'This document'),
      responses: { 200: answer('This document', z.looseObject({})), ...errors() },
    },
  ];
}

/** With the password of the page, and a form that it issued. */
function forActions(): RouteConfig[] {
  const body = { content: { 'application/x-www-form-urlencoded': { schema: actionForm } }, required: true };
  return ACTIONS.map((action) => ({
    ...describe('post', `/actions/${action}`, `The button "${action}" of the operator page`),
    security: api,
    request: { body },
    responses: {
      303: { description: 'Done, or refused with a code in `problem`: see the page' },
      ...pageErrors(400, 401, 403, 409, 413, 429),
    },
  }));
}

function describe(
  method: 'get' | 'post',
  path: string,
  summary: string,
): Pick<RouteConfig, 'method' | 'path' | 'summary'> {
  return { method, path, summary };
}

function answer(description: string, schema: z.ZodType): RouteConfig['responses'][string] {
  return { description, content: json(schema) };
}

function errors(...statuses: number[]): RouteConfig['responses'] {
  return refusals(statuses, json(errorSchema));
}

/** Of a route that shows a page: to who accepts HTML an error is a page, too. */
function pageErrors(...statuses: number[]): RouteConfig['responses'] {
  return refusals(statuses, { ...json(errorSchema), ...html });
}

function refusals(statuses: number[], content: Content): RouteConfig['responses'] {
  return Object.fromEntries(
    [...statuses, 'default'].map((status) => [status, { description: 'Refused, and why', content }]),
  );
}

type Content = Record<string, { schema: z.ZodType }>;

const html = { 'text/html': { schema: z.string() } };

/** Each event is named `update`, and its data is the whole update. */
const events = {
  description: 'Server-sent events; each holds the whole update, so that Last-Event-ID resumes without a gap',
  content: {
    'text/event-stream': { schema: z.looseObject({ data: z.string().meta({ contentMediaType: 'application/json' }) }) },
  },
};

function pageOf(description: string): RouteConfig['responses'][string] {
  return { description, content: html };
}

function json(schema: z.ZodType): { 'application/json': { schema: z.ZodType } } {
  return { 'application/json': { schema } };
}
