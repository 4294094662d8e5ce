import type { Readable } from 'node:stream';

/**
 * Where backups are kept: objects under keys with `/`. Rejects with `StorageError` (domain/errors): `storage_full`, `storage_refused`
 * (credentials, bucket, permission: do not retry), `storage_unreachable` (retry later), `object_not_found`, `object_archived` (a
 * lifecycle rule moved it to a class that must be restored before it can be read).
 */
export interface BackupStorage {
  /** The address of a key, for people (`s3://bucket/prefix/key`, `file:///path/key`); never credentials. */
  urlOf(key: string): string;
  /**
   * Stores all of the stream under the key, or nothing: if the stream fails, or storing does, no object of that key
   * exists afterwards, no part is left, and the first error is the one that rejects.
   */
  put(key: string, content: Readable): Promise<{ bytes: number }>;
  /** Reads an object. The stream fails if the object is cut. */
  get(key: string): Promise<Readable>;
  /** Keys below a prefix with their sizes, in order of key. */
  list(prefix: string): Promise<{ key: string; bytes: number }[]>;
  /** Deletes one object; one that is not there is fine. */
  delete(key: string): Promise<void>;
  /** It compresses what it stores, and finds what it has already only in uncompressed data. Missing: it does not. */
  readonly compresses?: boolean;
  /**
   * Frees the space of deleted objects, where that is not done at once. May take long; every other call goes first. Does nothing where
   * nothing is to be freed.
   */
  tidy?(signal: AbortSignal): Promise<void>;
}
