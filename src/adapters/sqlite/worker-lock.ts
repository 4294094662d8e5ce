import Sqlite from 'better-sqlite3';

export interface WorkerLock {
  release(): void;
}

/**
 * One worker for a data directory: an exclusive transaction on a file of its own, which the operating system gives up
 * with the process, however it ends. Null: another process holds it.
 */
export function takeWorkerLock(path: string): WorkerLock | null {
  const database = new Sqlite(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') return null;
    throw error;
  }
  return {
    release: () => {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}
