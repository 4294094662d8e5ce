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
  '9da30a8bc15801beeaac70fd2b699e8155c28afc8bef097b805756b53c0fe600',
  '86eb8dcbc1649d56d9237b1f12d7ae735a64f7bd43aec7722a8593eaa7a9fa27',
  '141a4694842e416f2221f9beda54e9428a23bb2992b4d4fce71252845f0f2618',
  '56c593d693fa4131785e83fb06a4e2a391e603a7c1dca9e60f505778b0b319b0',
  'e37e6c7bc498901c6dad10c46ee1a130ac0e7c8ff10997d50000623051909fe4',
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
