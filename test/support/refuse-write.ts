/** Every write of this kind fails, as on a full disk, until what is returned is called. */
export function refuseWrite<K extends string>(part: Record<K, unknown>, write: K): () => void {
  const real = part[write];
  part[write] = () => {
    throw diskIsFull();
  };
  return () => void (part[write] = real);
}

/** As better-sqlite3 throws it. */
export function diskIsFull(): Error {
  return Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
}
