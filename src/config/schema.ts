import path from 'node:path';
import { z } from 'zod';
import type { Mode } from '../domain/mode';
import type { NotesHost } from '../domain/notes/source';
import type { Retention } from '../domain/backups/retention';
import type { UpdateWindow } from '../domain/decision/update-window';
import type { VerifyRule } from '../domain/signatures/signature';
import type { Secret } from '../lib/secret';
import type { ChannelSetting } from './urls';
import {
  absolutePath,
  address,
  addresses,
  backupTarget,
  choice,
  count,
  cron,
  dockerHost,
  duration,
  durationOrNone,
  heartbeatUrl,
  hostName,
  httpUrl,
  interval,
  mailTarget,
  notesHosts,
  notesTokens,
  notifySecret,
  notifyUrls,
  port,
  proxies,
  publicUrl,
  retention,
  secretText,
  text,
  timeZone,
  tokens,
  updateWindow,
  verifyRule,
} from './fields';

/** Everything that can be set, read and checked (docs/configuration.md). Printed or serialised, it shows no secret. */
export interface Settings {
  host: string;
  port: number;
  /** Without a trailing slash. */
  publicUrl: string;
  /** Addresses, networks and names of the proxies whose X-Forwarded-For counts. */
  trustedProxies: string[];
  /** Absolute. */
  dataDir: string;
  /** All are accepted. */
  webhookTokens: Secret[];
  apiToken: Secret;
  /** The first signs, all verify. */
  approvalSecrets: Secret[];
  approvalTtlMs: number;
  backup: BackupSetting;
  mail: { kind: 'file'; directory: string } | { kind: 'ses' } | { kind: 'smtp'; url: Secret };
  mailFrom: string;
  mailTo: string[];
  /** When the digest is mailed, a cron expression in `timeZone`; null: everything is mailed at once. */
  mailDigest: string | null;
  /** Channels in addition to mail. */
  channels: ChannelSetting[];
  /** `whsec_…`, signs the calls of the channels of kind `webhook`; null: there is none. */
  notifySecret: Secret | null;
  /** Called while all is well; null: nothing is. */
  heartbeat: { url: Secret; intervalMs: number } | null;
  /** Cron expressions in `timeZone`; null: off. */
  schedules: { backup: string | null; renewal: string | null; reconcile: string | null };
  /** How many backups of each kind are kept. */
  retention: Retention;
  /** Defaults of the labels `update.window` (null: any time) and `update.min-age`. */
  updateWindow: UpdateWindow | null;
  minAgeMs: number;
  /** Default of the label `update.keep-images`; null: no image is removed. */
  keepImages: number | null;
  /** Default of the label `update.verify`. */
  verify: VerifyRule;
  /** Absolute path of Sigstore's trusted root; null: no identity can be checked. */
  trustedRoot: string | null;
  /** Hosts from which release notes may be read in addition to the public forges, and tokens by host. */
  notes: { hosts: NotesHost[]; tokens: ReadonlyMap<string, Secret> };
  /** How old a verified backup may be that an update uses again; 0: none is. */
  backupReuseMs: number;
  logLevel: 'error' | 'warn' | 'info' | 'debug';
  /** IANA name, such as `Europe/Berlin`. */
  timeZone: string;
  mode: Mode;
  /** As the environment says; null: the engine's usual socket. */
  dockerHost: string | null;
  /** Where the Docker client keeps `config.json` with the registries' credentials; null: nowhere. */
  dockerConfigDir: string | null;
  /** The AWS SDK talks to another endpoint than Amazon's (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`). */
  awsEndpoint: boolean;
  /** The variables of the AWS SDK that are set, by name. The SDK reads them itself; here they are for the recovery kit. */
  awsVariables: Readonly<Record<string, Secret>>;
}

/** `env`: all that the program restic needs, its password included. */
export type BackupSetting =
  | { kind: 'file'; directory: string }
  | { kind: 's3'; bucket: string; prefix: string }
  | { kind: 'restic'; repository: Secret; env: Readonly<Record<string, Secret>> };

const SECRETS = [
  'PILOT_WEBHOOK_TOKEN',
  'PILOT_API_TOKEN',
  'PILOT_APPROVAL_SECRET',
  'PILOT_BACKUP_URL',
  'PILOT_MAIL_URL',
  'PILOT_NOTIFY_URL',
  'PILOT_NOTIFY_SECRET',
  'PILOT_HEARTBEAT_URL',
  'PILOT_NOTES_TOKENS',
  'RESTIC_PASSWORD',
] as const;

/** Every setting of diun-pilot's own with its default as it would be written; empty: no fixed default. */
export const DEFAULTS = {
  PILOT_HOST: '0.0.0.0',
  PILOT_PORT: '8080',
  PILOT_PUBLIC_URL: 'http://localhost:8080',
  PILOT_TRUSTED_PROXY: '',
  PILOT_DATA_DIR: './data',
  PILOT_WEBHOOK_TOKEN: '',
  PILOT_API_TOKEN: '',
  PILOT_APPROVAL_SECRET: '',
  PILOT_APPROVAL_TTL: '72h',
  PILOT_BACKUP_URL: 'file:',
  PILOT_MAIL_URL: 'file:',
  PILOT_MAIL_FROM: '',
  PILOT_MAIL_TO: '',
  PILOT_MAIL_DIGEST: 'off',
  PILOT_NOTIFY_URL: '',
  PILOT_NOTIFY_SECRET: '',
  PILOT_HEARTBEAT_URL: '',
  PILOT_HEARTBEAT_INTERVAL: '5m',
  PILOT_BACKUP_SCHEDULE: '0 2 * * *',
  PILOT_RENEWAL_SCHEDULE: '30 3 * * 0',
  PILOT_RECONCILE_SCHEDULE: '0 4 * * *',
  PILOT_BACKUP_RETENTION: '7d,4w,6m',
  PILOT_BACKUP_REUSE: '1h',
  PILOT_UPDATE_WINDOW: '',
  PILOT_MIN_AGE: '0',
  PILOT_KEEP_IMAGES: '',
  PILOT_VERIFY: 'off',
  PILOT_TRUSTED_ROOT: '',
  PILOT_NOTES_HOSTS: '',
  PILOT_NOTES_TOKENS: '',
  PILOT_MODE: 'act',
  PILOT_LOG_LEVEL: 'info',
  RESTIC_PASSWORD: '',
} as const;
export type SettingName = keyof typeof DEFAULTS;

/** These may also be given as `NAME_FILE`. */
export const SECRET_SETTINGS: readonly SettingName[] = SECRETS;

/** Read by us, and by others too. */
export const SHARED_NAMES = [
  'TZ',
  'DOCKER_HOST',
  'DOCKER_CONFIG',
  'HOME',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
] as const;

/** From the text of each setting to its value, or to a problem as text. */
export const settingsSchema = z.object({
  PILOT_HOST: hostName,
  PILOT_PORT: port,
  PILOT_PUBLIC_URL: publicUrl,
  PILOT_TRUSTED_PROXY: proxies.optional(),
  PILOT_DATA_DIR: text.transform((folder) => path.resolve(folder)),
  PILOT_WEBHOOK_TOKEN: tokens(2).optional(),
  PILOT_API_TOKEN: tokens(1).optional(),
  PILOT_APPROVAL_SECRET: tokens(5).optional(),
  PILOT_APPROVAL_TTL: duration,
  PILOT_BACKUP_URL: backupTarget,
  PILOT_MAIL_URL: mailTarget,
  PILOT_MAIL_FROM: address.optional(),
  PILOT_MAIL_TO: addresses.optional(),
  PILOT_MAIL_DIGEST: cron,
  PILOT_NOTIFY_URL: notifyUrls.optional(),
  PILOT_NOTIFY_SECRET: notifySecret.optional(),
  PILOT_HEARTBEAT_URL: heartbeatUrl.optional(),
  PILOT_HEARTBEAT_INTERVAL: interval,
  PILOT_BACKUP_SCHEDULE: cron,
  PILOT_RENEWAL_SCHEDULE: cron,
  PILOT_RECONCILE_SCHEDULE: cron,
  PILOT_BACKUP_RETENTION: retention,
  PILOT_BACKUP_REUSE: durationOrNone,
  PILOT_UPDATE_WINDOW: updateWindow.optional(),
  PILOT_MIN_AGE: durationOrNone,
  PILOT_KEEP_IMAGES: count.optional(),
  PILOT_VERIFY: verifyRule,
  PILOT_TRUSTED_ROOT: absolutePath.optional(),
  PILOT_NOTES_HOSTS: notesHosts.optional(),
  PILOT_NOTES_TOKENS: notesTokens.optional(),
  PILOT_MODE: choice(['act', 'observe']),
  PILOT_LOG_LEVEL: choice(['error', 'warn', 'info', 'debug']),
  RESTIC_PASSWORD: secretText.optional(),
  TZ: timeZone.optional(),
  DOCKER_HOST: dockerHost.optional(),
  DOCKER_CONFIG: text.optional(),
  HOME: text.optional(),
  AWS_ENDPOINT_URL: httpUrl.optional(),
  AWS_ENDPOINT_URL_S3: httpUrl.optional(),
} satisfies Record<SettingName | (typeof SHARED_NAMES)[number], z.ZodType>);

export type Parsed = z.output<typeof settingsSchema>;
