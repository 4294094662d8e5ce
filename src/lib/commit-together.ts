/** Does the work in a transaction that others may share; settles as the work did, once that is committed. */
export type CommitTogether = <Result>(work: () => Result) => Promise<Result>;

interface Member {
  /** Does the work and returns the callback that reports it after the commit. */
  run(): () => void;
  reject(error: unknown): void;
}

/**
 * One commit for all work requested in the same turn of the event loop: the sync to disk takes the time, and ten writes
 * sync as fast as one. Work that throws keeps its writes and does not affect the others; a failed commit rejects all.
 */
export function commitTogether(transaction: <Result>(work: () => Result) => Result): CommitTogether {
  let members: Member[] = [];
  const commit = (): void => {
    const group = members;
    members = [];
    try {
      const tell = transaction(() => group.map((member) => member.run()));
      for (const each of tell) each();
    } catch (error) {
      for (const member of group) member.reject(error);
    }
  };
  return (work) =>
    new Promise((resolve, reject) => {
      if (members.length === 0) setImmediate(commit);
      members.push({ run: () => settled(work, resolve, reject), reject });
    });
}

function settled<Result>(
  work: () => Result,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const result = work();
    return () => resolve(result);
  } catch (error) {
    return () => reject(error);
  }
}
