import Sqlite from 'better-sqlite3';
import { commitTogether } from '../../../src/lib/commit-together';

/** A real database, and how many transactions it was given. */
function opened() {
  const database = new Sqlite(':memory:');
  database.exec('CREATE TABLE lines (text TEXT NOT NULL)');
  const insert = database.prepare('INSERT INTO lines VALUES (?)');
  let commits = 0;
  const together = commitTogether((work) => {
    const done = database.transaction(work).immediate();
    commits += 1;
    return done;
  });
  return {
    database,
    together,
    write: (text: string | null) => together(() => insert.run(text).changes),
    lines: () => database.prepare('SELECT text FROM lines').pluck().all(),
    commits: () => commits,
  };
}

it('commits once what is asked for together, in its order, and tells each its own result', async () => {
  const { write, lines, commits } = opened();
  expect(await Promise.all([write('a'), write('b'), write('c')])).toEqual([1, 1, 1]);
  expect([lines(), commits()]).toEqual([['a', 'b', 'c'], 1]);
});

it('is not settled before the commit', async () => {
  const { database, together } = opened();
  const open: boolean[] = [];
  const writes = [1, 2].map(() => together(() => open.push(database.inTransaction)));
  await Promise.all(writes.map((write) => write.then(() => open.push(database.inTransaction))));
  expect(open).toEqual([true, true, false, false]);
});

it('begins a new group with what is asked for later', async () => {
  const { write, commits } = opened();
  await write('a');
  await write('b');
  expect(commits()).toBe(2);
});

it('a work that throws is rejected alone, and keeps what it wrote', async () => {
  const { together, write, lines, database } = opened();
  const throwing = () =>
    together(() => {
      database.exec(`INSERT INTO lines VALUES ('kept')`);
      throw new Error('refused');
    });
  const all = await Promise.allSettled([write('a'), throwing(), write(null), write('b')]);
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(lines()).toEqual(['a', 'kept', 'b']);
});

it('a commit that fails rejects all, and the next group is not harmed', async () => {
  const { database, write, together, lines } = opened();
  const asSqliteDoesOnAFullDisk = () => together(() => database.exec('ROLLBACK'));
  const all = await Promise.allSettled([write('lost'), asSqliteDoesOnAFullDisk()]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await write('later');
  expect(lines()).toEqual(['later']);
});
