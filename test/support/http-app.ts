import Database from 'better-sqlite3';
import { join } from 'node:path';
import { recordById } from '../../src/decisions/approve';
import {
  decideRestoreLink,
  readRestoreLink,
  type SetTrust,
  decideSoakLink,
  readSoakLink,
} from '../../src/decisions/recovery-links';
import { readApproval, readViewLink } from '../../src/decisions/approval-links';
import { receiveTogether } from '../../src/http/routes/webhook';
import { listen } from '../../src/http/listen';
import { requestRenewal } from '../../src/certificates/renewal-queue';
import { createHttpApp, type HttpDeps } from '../../src/http/server';
import { systemClock } from '../../src/lib/clock';
import { requestRehearsal } from '../../src/rehearsals/run-next-rehearsal';
import { Secret } from '../../src/lib/secret';
import type { Store } from '../../src/ports/store';
import { recordingLogger, type LogLine } from './recording-logger';
import { fileDisk } from './scene-disk';

export const WEBHOOK_TOKEN = 'recorded-token';
export const OLD_WEBHOOK_TOKEN = 'token-before-rotation';
export const APPROVAL_SECRETS = [new Secret('approval-secret-of-the-tests')];
export const RESTORE_LINKS = { approvalSecrets: APPROVAL_SECRETS, approvalTtlMs: 72 * 3_600_000, publicUrl: '' };
export const API_TOKEN = 'api-token-of-the-tests';
export const asOperator = { Authorization: `Bearer ${API_TOKEN}` };
/** As a browser sends the page's password. */
export const asPerson = { Authorization: `Basic ${Buffer.from(`anyone:${API_TOKEN}`).toString('base64')}` };
export const asDiun = { Authorization: `Bearer ${WEBHOOK_TOKEN}` };

export interface RunningHttp {
  url: string;
  port: number;
  store: Store;
  lines: LogLine[];
  /** Of the app as it is, such as `GET /updates/:id`. */
  routes: string[];
  /** Every row of every table, but for the audit trail, which counts failed logins. */
  rows(): string;
  stop(): Promise<void>;
}

/** The real HTTP app on a real socket and a real database file; what lies behind the use cases is given by the test. */
export async function startHttp(
  overrides: Partial<HttpDeps> = {},
  restoreTrust: SetTrust = { distrust: null, sha256: null },
): Promise<RunningHttp> {
  const clock = overrides.clock ?? systemClock;
  const disk = fileDisk(clock);
  const store = disk.open();
  const { logger, lines } = recordingLogger();
  const app = createHttpApp({
    version: '0.1.0',
    webhookTokens: [new Secret(WEBHOOK_TOKEN), new Secret(OLD_WEBHOOK_TOKEN)],
    apiToken: new Secret(API_TOKEN),
    mode: 'act',
    publicUrl: 'http://localhost:8080',
    trustedProxies: [],
    channels: [],
    store,
    clock,
    logger,
    receiveWebhook: receiveTogether(store, () => undefined),
    requestUpdate: () => Promise.reject(new Error('this test asks for no update')),
    requestBackups: () => Promise.reject(new Error('this test asks for no backup')),
    requestRehearsal: (id, by) => requestRehearsal({ store, logger }, id, by),
    requestRenewal: () => requestRenewal({ store, clock, mode: 'act' }, { reason: 'operator' }),
    health: {
      pingEngine: () => Promise.resolve('pong'),
      scheduler: () => ({ status: 'ok' }),
    },
    containers: () => Promise.resolve([]),
    swarm: () => Promise.resolve({ services: [] }),
    approvals: {
      read: (token) => readApproval({ store, clock, approvalSecrets: APPROVAL_SECRETS }, token),
      decide: () => Promise.reject(new Error('this test decides on nothing by link')),
      decideById: (id, decision, by) =>
        Promise.resolve().then(() =>
          recordById({ store, clock, logger }, id, decision === 'decline' ? 'decline' : 'approve', by),
        ),
    },
    restoreLinks: {
      read: (token) => readRestoreLink({ ...RESTORE_LINKS, store, clock }, token),
      trust: () => Promise.resolve(restoreTrust),
      decide: (token, answer) =>
        decideRestoreLink({ ...RESTORE_LINKS, store, clock, logger, mode: 'act' }, token, answer),
    },
    soakLinks: {
      read: (token) => readSoakLink({ store, clock, approvalSecrets: APPROVAL_SECRETS }, token),
      decide: (token, answer) =>
        decideSoakLink({ store, clock, logger, mode: 'act', approvalSecrets: APPROVAL_SECRETS }, token, answer),
    },
    viewLinks: { read: (token) => readViewLink({ store, clock, approvalSecrets: APPROVAL_SECRETS }, token) },
    notesFetches: () => ({ ok: 0, failed: 0 }),
    timers: () => [],
    formSecret: new Secret('form-secret-of-the-tests'),
    ...overrides,
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  const stop = async (): Promise<void> => {
    await listening.close(1_000);
    disk.remove();
  };
  const { port } = listening;
  const routes = routesOf(app);
  const rows = (): string => dumpOf(join(disk.folder, 'pilot.db'));
  return { url: `http://127.0.0.1:${port}`, port, store, lines, routes, rows, stop };
}

function routesOf(app: ReturnType<typeof createHttpApp>): string[] {
  const layers = app.router.stack.flatMap(({ route }) => (route === undefined ? [] : [route]));
  return layers.flatMap(({ path, stack }) => {
    const methods = new Set(stack.map(({ method }) => method?.toUpperCase()).filter((method) => method !== undefined));
    return [...methods].map((method) => `${method} ${path}`);
  });
}

function dumpOf(path: string): string {
  const database = new Database(path, { readonly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all();
  const kept = (tables as string[]).filter((name) => name !== 'audit');
  const dump = kept.map((name) => [name, database.prepare(`SELECT * FROM "${name}"`).all()]);
  database.close();
  return JSON.stringify(dump);
}
