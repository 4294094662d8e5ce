/** Does the work in a transaction that others may share; settles as the work did, once that is committed. */
export type CommitTogether = <Result>(work: () => Result) => Promise<Result>;

interface Member {
  /** Does the work, and gives what is to be told of it after the commit. */
  run(): () => void;
  reject(error: unknown): void;
}

/**
 * One commit for all works that are asked for in the same turn of the event loop: what costs time is that the disk has it,
 * and the disk takes ten as fast as one. A work that throws keeps what it wrote, and does not touch the others; a commit that
 * fails rejects all.
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
