import { createHash } from 'node:crypto';

/** The one that becomes the owner of a data directory of PostgreSQL to make another. */
const CLUSTER_SCRIPT = '2ce693e45aa93a3274a3d6774e848857847d954f25b5954d36a8e482aa58b4e9';

/**
 * SHA-256 of the shell scripts that diun-pilot runs as root: those of a restore helper (src/restores/files/move-scripts.ts), and
 * the one that looks for folders that cannot be read (src/backups/sources/files-source.ts). A test compares them.
 */
const HELPER_SCRIPTS: readonly string[] = [
  CLUSTER_SCRIPT,
  '724a1cd3e9e6cb9da733e50198fa9765d7c3a3e2f650d21e17902e4e58f9311c',
  'c4a5eb701df0633bc8218d72bc414c4dbd08d27fde9433859d761bf521aa3ab2',
  '305e3eb8a7baa5e62ccd0212fb1acfae0dc3265e5bb9080dcdc1d1d79a44b5c4',
  'ec4ee19a45d75dd3c88b8fd2c81964c8d06a528ebf17eb2dc4b040a88be429c0',
  '141a4694842e416f2221f9beda54e9428a23bb2992b4d4fce71252845f0f2618',
  '56c593d693fa4131785e83fb06a4e2a391e603a7c1dca9e60f505778b0b319b0',
  '5a1f60617292b2246938e6a2f8c1e579f13476d954dbd9f462dfce55381d7120',
  '7f2102e776410a713899f3b3f018601bc990e60869e1eb0b461c721abc3aace5',
  '6c2014da7311c4f7d27bbbad3ac71df6349cc9ee90ccaeb6e7fcd3601ed24596',
];
const READING_SCRIPTS: readonly string[] = ['a0141b4cff85bbb6a916d49c6efeacd11ac1bc7ccc7367a4bc42211cb509bf02'];

export function isHelperScript(script: unknown): boolean {
  return typeof script === 'string' && HELPER_SCRIPTS.includes(sha256(script));
}

export function isClusterScript(script: unknown): boolean {
  return typeof script === 'string' && sha256(script) === CLUSTER_SCRIPT;
}

export function isReadingScript(script: unknown): boolean {
  return typeof script === 'string' && READING_SCRIPTS.includes(sha256(script));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
