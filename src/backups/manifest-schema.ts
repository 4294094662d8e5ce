import { z } from 'zod';
import type { BackupManifest } from '../domain/backups/backup';
import { databaseProperties } from './sources/database-properties';

/** Manifests are read from a storage that others may write to: each name is what diun-pilot itself would have written. */
const MOST_ITEMS = 10_000;
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => !CONTROL.test(text), 'has control characters');
const engineName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/, 'is not a name of a container or project');
const serviceName = z.string().regex(/^[a-zA-Z0-9._-]{1,255}$/, 'is not a name of a Compose service');
const id = z.string().regex(/^[0-9A-Za-z]{1,40}$/, 'is not an id');
const key = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/, 'is not a key that diun-pilot writes');

/** As `backup.paths`: absolute, without `..`. */
function isPath(name: string): boolean {
  const above = name.split('/').includes('..');
  return name.startsWith('/') && !above && !CONTROL.test(name) && name.length <= 4096;
}

/** PostgreSQL cuts longer names, and a name may hold anything but a zero byte. */
function isDatabase(name: string): boolean {
  return Buffer.byteLength(name) <= 63 && !name.includes('\0');
}

const NAMES = { files: isPath, database: isDatabase, globals: (name: string) => name === 'globals' };

const item = z
  .object({
    container: engineName,
    service: serviceName.nullable().optional(),
    image: z.object({ reference: line(4096), imageId: line(128) }),
    kind: z.enum(['database', 'globals', 'files']),
    name: z.string().min(1),
    key,
    bytes: z.number().int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    compression: z.enum(['gzip', 'none']),
    database: databaseProperties.nullable().optional(),
    verified: line(1000),
  })
  .refine(({ kind, name }) => NAMES[kind](name), { path: ['name'], message: 'is not a path or a database' });

export const manifestSchema = z.object({
  format: z.literal(1),
  id,
  project: engineName.nullable(),
  createdAt: z.iso.datetime(),
  reason: z.enum(['update', 'operator', 'schedule']),
  updateId: id.nullable(),
  quiesced: z.boolean(),
  items: z.array(item).min(1).max(MOST_ITEMS),
}) satisfies z.ZodType<BackupManifest>;
