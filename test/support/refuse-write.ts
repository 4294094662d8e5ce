/** Every write of this kind fails, as on a full disk, until what is returned is called. */
export function refuseWrite<K extends string>(part: Record<K, unknown>, write: K): () => void {
  const real = part[write];
  part[write] = () => {
    throw new Error('database or disk is full');
  };
  return () => void (part[write] = real);
}
