import { constants, accessSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { nearestName } from '../domain/text/nearest-name';
import { DEFAULTS, type Parsed, SECRET_SETTINGS } from './schema';

export interface SettingProblem {
  name: string;
  message: string;
}

const KNOWN: readonly string[] = [...Object.keys(DEFAULTS), ...SECRET_SETTINGS.map((name) => `${name}_FILE`)];

/** A misspelt setting would silently be its default. */
export function unknownNames(names: readonly string[]): SettingProblem[] {
  return names
    .filter((name) => name.startsWith('PILOT_') && !KNOWN.includes(name))
    .map((name) => {
      const meant = nearestName(name, KNOWN);
      return {
        name,
        message: meant === null ? 'unknown setting' : `unknown setting; did you mean ${meant}?`,
      };
    });
}

/** Rules between several settings, and the folder on the disk. Values that are invalid on their own are missing. */
export function rulesOf(parsed: Partial<Parsed>, given: ReadonlySet<string>): SettingProblem[] {
  return [
    ...resticRules(parsed, given),
    ...mailRules(parsed, given),
    ...channelRules(parsed, given),
    ...verifyRules(parsed, given),
    ...dataDirRules(parsed),
  ];
}

function resticRules({ PILOT_BACKUP_URL: backup }: Partial<Parsed>, given: ReadonlySet<string>): SettingProblem[] {
  if (backup?.kind !== 'restic' || given.has('RESTIC_PASSWORD')) return [];
  const message =
    'is required, because PILOT_BACKUP_URL is a restic repository. No backup can be read without it: keep a copy away from this host';
  return [{ name: 'RESTIC_PASSWORD', message }];
}

/**
 * Docker's own clients would speak TLS to such a `tcp://` address: without it, environments of containers would cross the network
 * in plain text. The client certificate of `https://` is read by docker-modem, as Docker's clients do.
 */
export function tlsRules({
  DOCKER_HOST: host = '',
  DOCKER_TLS_VERIFY: verify = '',
  DOCKER_CERT_PATH: folder = '',
}: NodeJS.ProcessEnv): SettingProblem[] {
  if (!/^(?:tcp|https?):/.test(host)) return [];
  const plain = host.startsWith('tcp:') && (verify !== '' || /:2376\/?$/.test(host));
  const message =
    'tcp:// is not encrypted here: write https://HOST:2376, with DOCKER_CERT_PATH for the client certificate';
  const missing = folder === '' ? [] : ['ca.pem', 'cert.pem', 'key.pem'].filter((file) => !isReadable(folder, file));
  return [
    ...(plain ? [{ name: 'DOCKER_HOST', message }] : []),
    ...missing.map((file) => ({ name: 'DOCKER_CERT_PATH', message: `${path.join(folder, file)} cannot be read` })),
  ];
}

function isReadable(folder: string, file: string): boolean {
  try {
    accessSync(path.join(folder, file), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function verifyRules({ PILOT_VERIFY: rule }: Partial<Parsed>, given: ReadonlySet<string>): SettingProblem[] {
  if (rule?.kind !== 'identity' || given.has('PILOT_TRUSTED_ROOT')) return [];
  const message =
    'is required, because PILOT_VERIFY starts with "identity:". Set the path of a trusted_root.json as diun-pilot sees it';
  return [{ name: 'PILOT_TRUSTED_ROOT', message }];
}

function channelRules(
  { PILOT_NOTIFY_URL: channels = [] }: Partial<Parsed>,
  given: ReadonlySet<string>,
): SettingProblem[] {
  if (given.has('PILOT_NOTIFY_SECRET') || !channels.some(({ kind }) => kind === 'webhook')) return [];
  const message =
    'is required, because PILOT_NOTIFY_URL has a webhook. Generate one: echo "whsec_$(openssl rand -base64 32)"';
  return [{ name: 'PILOT_NOTIFY_SECRET', message }];
}

function mailRules({ PILOT_MAIL_URL: mail }: Partial<Parsed>, given: ReadonlySet<string>): SettingProblem[] {
  if (mail === undefined || mail.kind === 'file') return [];
  return ['PILOT_MAIL_FROM', 'PILOT_MAIL_TO']
    .filter((name) => !given.has(name))
    .map((name) => ({ name, message: 'is required unless PILOT_MAIL_URL is file:' }));
}

function dataDirRules({ PILOT_DATA_DIR: folder }: Partial<Parsed>): SettingProblem[] {
  const problem = folder === undefined ? null : whyNotWritable(folder);
  return problem === null ? [] : [{ name: 'PILOT_DATA_DIR', message: problem }];
}

/** Asks the folder, or where it is still to be made, the nearest one above it. */
function whyNotWritable(folder: string): string | null {
  try {
    if (!statSync(folder).isDirectory()) return 'must be a folder, and there is a file of that name or above it';
    accessSync(folder, constants.W_OK);
    makeAndRemove(folder);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !isThere(folder)) return whyNotWritable(path.dirname(folder));
    if (code === 'ENOSPC' || code === 'EDQUOT') return null; // no fault of the setting, and room may be made
    if (code === 'ENOTDIR') return 'must be a folder, and there is a file of that name or above it';
    return `must be a folder that diun-pilot may write to (${code})`;
  }
}

/** Root may write everywhere by its rights, yet not into `/proc` and the like. */
function makeAndRemove(folder: string): void {
  rmdirSync(mkdtempSync(path.join(folder, '.diun-pilot-')));
}

function isThere(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false }) !== undefined;
}
