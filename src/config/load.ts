import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PilotError } from '../domain/errors';
import { localTimeZone } from '../domain/format';
import { Secret } from '../lib/secret';
import { tokens } from './fields';
import { rulesOf, tlsRules, unknownNames, type SettingProblem } from './rules';
import {
  DEFAULTS,
  SECRET_SETTINGS,
  settingsSchema,
  SHARED_NAMES,
  type BackupSetting,
  type Parsed,
  type SettingName,
  type Settings,
} from './schema';
import { secretOnDisk, type SecretName } from './secrets-on-disk';

/**
 * Reads the settings in three moves: parse the texts, hold them against each other, then fill in what was not given.
 * Throws `invalid_settings` with every problem at once, one `NAME: what is wrong` a line, and changes nothing then.
 * `generateSecrets`: secrets that are neither given nor on the disk are made there; else they are made for this process only.
 */
export function loadSettings(env: NodeJS.ProcessEnv, options: { generateSecrets: boolean }): Settings {
  const { texts, given, problems } = readEnvironment(env);
  const { values, problems: wrong } = parse(texts, new Set(problems.map(({ name }) => name.replace(/_FILE$/, ''))));
  refuseIfAny([...unknownNames(Object.keys(env)), ...problems, ...wrong, ...rulesOf(values, given), ...tlsRules(env)]);
  return { ...complete(values as Parsed, env, options.generateSecrets), awsVariables: awsVariablesIn(env) };
}

/** Each setting on its own, so that a wrong one does not hide another. */
function parse(
  texts: Readonly<Record<string, string>>,
  unreadable: ReadonlySet<string>,
): { values: Partial<Parsed>; problems: SettingProblem[] } {
  const values: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  for (const [name, type] of Object.entries(settingsSchema.shape)) {
    if (unreadable.has(name)) continue;
    const result = type.safeParse(texts[name]);
    if (result.success) values[name] = result.data;
    else problems.push(...result.error.issues.map(({ message }) => ({ name, message })));
  }
  return { values, problems };
}

function refuseIfAny(problems: readonly SettingProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ name, message }) => `${name}: ${message}`);
  throw new PilotError('invalid_settings', [...new Set(lines)].sort().join('\n'));
}

/** As the SDK finds them; a path to a file or the name of a profile means nothing on another host, but says where to look. */
function awsVariablesIn(env: NodeJS.ProcessEnv): Settings['awsVariables'] {
  const set = Object.entries(env).filter(
    ([name, value]) => name.startsWith('AWS_') && value !== undefined && value !== '',
  );
  return Object.fromEntries(set.sort().map(([name, value]) => [name, new Secret(value ?? '')]));
}

function complete(parsed: Parsed, env: NodeJS.ProcessEnv, generate: boolean): Omit<Settings, 'awsVariables'> {
  const dataDir = parsed.PILOT_DATA_DIR;
  const secrets = secretsOf(parsed, generate);
  const { PILOT_MAIL_URL: mail } = parsed;
  return {
    host: parsed.PILOT_HOST,
    port: parsed.PILOT_PORT,
    publicUrl: parsed.PILOT_PUBLIC_URL,
    trustedProxies: parsed.PILOT_TRUSTED_PROXY ?? [],
    dataDir,
    ...secrets,
    approvalTtlMs: parsed.PILOT_APPROVAL_TTL,
    backup: backupSetting(parsed, env),
    mail: mail.kind === 'file' ? { kind: 'file', directory: mail.directory ?? path.join(dataDir, 'mail') } : mail,
    mailFrom: parsed.PILOT_MAIL_FROM ?? 'diun-pilot@localhost',
    mailTo: parsed.PILOT_MAIL_TO ?? ['operator@localhost'],
    ...reachingPeople(parsed),
    schedules: {
      backup: parsed.PILOT_BACKUP_SCHEDULE,
      renewal: parsed.PILOT_RENEWAL_SCHEDULE,
      reconcile: parsed.PILOT_RECONCILE_SCHEDULE,
    },
    retention: parsed.PILOT_BACKUP_RETENTION,
    backupReuseMs: parsed.PILOT_BACKUP_REUSE,
    updateWindow: parsed.PILOT_UPDATE_WINDOW ?? null,
    minAgeMs: parsed.PILOT_MIN_AGE,
    keepImages: parsed.PILOT_KEEP_IMAGES ?? null,
    verify: parsed.PILOT_VERIFY,
    trustedRoot: parsed.PILOT_TRUSTED_ROOT ?? null,
    notes: { hosts: parsed.PILOT_NOTES_HOSTS ?? [], tokens: parsed.PILOT_NOTES_TOKENS ?? new Map() },
    mode: parsed.PILOT_MODE,
    logLevel: parsed.PILOT_LOG_LEVEL,
    ...surroundings(parsed),
  };
}

function backupSetting(parsed: Parsed, env: NodeJS.ProcessEnv): BackupSetting {
  const { PILOT_BACKUP_URL: backup, PILOT_DATA_DIR: dataDir } = parsed;
  if (backup.kind === 'file') return { kind: 'file', directory: backup.directory ?? path.join(dataDir, 'backups') };
  if (backup.kind === 's3') return backup;
  return { ...backup, env: resticEnvironment(env, parsed) };
}

/** As restic would find it, with a cache that this process may write to. Our own settings are none of its business. */
function resticEnvironment(env: NodeJS.ProcessEnv, parsed: Parsed): Record<string, Secret> {
  const others = Object.entries(env).filter(([name]) => !/^(?:PILOT_|RESTIC_PASSWORD|RESTIC_REPOSITORY)/.test(name));
  const given = Object.fromEntries(others.map(([name, value]) => [name, new Secret(value ?? '')]));
  const cache = new Secret(path.join(parsed.PILOT_DATA_DIR, 'restic-cache'));
  return { RESTIC_CACHE_DIR: cache, ...given, RESTIC_PASSWORD: parsed.RESTIC_PASSWORD ?? new Secret('') };
}

function reachingPeople(parsed: Parsed): Pick<Settings, 'mailDigest' | 'channels' | 'notifySecret' | 'heartbeat'> {
  const { PILOT_HEARTBEAT_URL: url, PILOT_HEARTBEAT_INTERVAL: intervalMs } = parsed;
  return {
    mailDigest: parsed.PILOT_MAIL_DIGEST,
    channels: parsed.PILOT_NOTIFY_URL ?? [],
    notifySecret: parsed.PILOT_NOTIFY_SECRET ?? null,
    heartbeat: url === undefined ? null : { url, intervalMs },
  };
}

/** What is set as everywhere else: the same variables mean the same to other programs. */
function surroundings(parsed: Parsed): Pick<Settings, 'timeZone' | 'dockerHost' | 'dockerConfigDir' | 'awsEndpoint'> {
  const home = parsed.HOME === undefined ? null : path.join(parsed.HOME, '.docker');
  return {
    timeZone: parsed.TZ ?? localTimeZone(),
    dockerHost: parsed.DOCKER_HOST ?? null,
    dockerConfigDir: parsed.DOCKER_CONFIG ?? home,
    awsEndpoint: parsed.AWS_ENDPOINT_URL !== undefined || parsed.AWS_ENDPOINT_URL_S3 !== undefined,
  };
}

function secretsOf(
  parsed: Parsed,
  generate: boolean,
): Pick<Settings, 'webhookTokens' | 'apiToken' | 'approvalSecrets'> {
  const problems: SettingProblem[] = [];
  const stored = (setting: SettingName, name: SecretName, most: number): Secret[] => {
    const read = fromDisk(parsed.PILOT_DATA_DIR, name, generate, most);
    if ('secrets' in read) return read.secrets;
    problems.push({ name: setting, message: read.problem });
    return [];
  };
  const webhookTokens = parsed.PILOT_WEBHOOK_TOKEN ?? stored('PILOT_WEBHOOK_TOKEN', 'webhook-token', 2);
  const [apiToken] = parsed.PILOT_API_TOKEN ?? stored('PILOT_API_TOKEN', 'api-token', 1);
  const approvalSecrets = parsed.PILOT_APPROVAL_SECRET ?? stored('PILOT_APPROVAL_SECRET', 'approval-secret', 5);
  refuseIfAny(problems);
  return { webhookTokens, apiToken: apiToken as Secret, approvalSecrets };
}

/** The file may have been edited by hand, to rotate a secret: the same rules hold for it. */
function fromDisk(
  dataDir: string,
  name: SecretName,
  generate: boolean,
  most: number,
): { secrets: Secret[] } | { problem: string } {
  const where = `PILOT_DATA_DIR/secrets/${name}`;
  try {
    const result = tokens(most).safeParse(secretOnDisk(dataDir, name, generate));
    if (result.success) return { secrets: result.data };
    return { problem: `${where}: ${result.error.issues.map(({ message }) => message).join('; ')}` };
  } catch (error) {
    return { problem: `${where} cannot be read or made (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** The text of every setting that is given or has a default. */
export interface Environment {
  texts: Record<string, string>;
  /** Names that the operator set, directly or as a file. */
  given: Set<string>;
  problems: SettingProblem[];
}

/** Takes the settings out of the environment and of the files that it names. An empty value counts as not set, as Compose writes it. */
function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const environment: Environment = { texts: {}, given: new Set(), problems: [] };
  for (const name of [...Object.keys(DEFAULTS), ...SHARED_NAMES]) take(environment, name, env[name]);
  for (const name of SECRET_SETTINGS) takeFile(environment, name, env[`${name}_FILE`]);
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (!environment.given.has(name) && value !== '') environment.texts[name] = value;
  }
  return environment;
}

function take({ texts, given }: Environment, name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return;
  given.add(name);
  texts[name] = value.trim();
}

function takeFile({ texts, given, problems }: Environment, name: string, file: string | undefined): void {
  if (file === undefined || file.trim() === '') return;
  if (given.has(name)) {
    problems.push({ name, message: `is set, and ${name}_FILE too: keep one of them` });
    return;
  }
  given.add(name);
  const content = readSecretFile(file.trim());
  if ('problem' in content) problems.push({ name: `${name}_FILE`, message: content.problem });
  else texts[name] = content.value;
}

function readSecretFile(file: string): { value: string } | { problem: string } {
  try {
    const value = readFileSync(file, 'utf8').trim();
    return value === '' ? { problem: 'names a file that is empty' } : { value };
  } catch (error) {
    return { problem: `names a file that cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}
