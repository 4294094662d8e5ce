import { createHash } from 'node:crypto';
import { someOf } from '../support/exhaustive';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import {
  actsIn,
  askedRestore,
  dataOf,
  FORGE,
  keptOf,
  leftovers,
  nextProcess,
  restoreOf,
  type AskedRestore,
  type DataSeen,
} from '../support/restore-scene';

// The process dies before and after every call by which a restore changes something on the engine, and is started again
// on the same database file. The files are moved by the real scripts in a real shell.

type Scripted = (call: CommandCall) => Outcome;

/** What goes wrong on the database server, at each try. */
type Spoil = (scripts: Scripts) => void;

const none: Spoil = () => undefined;

const secondDatabaseRefused: Spoil = (scripts) => {
  const restore = scripts['pg_restore -w *'] as Scripted;
  let seen = 0;
  scripts['pg_restore -w *'] = (call) =>
    ++seen % 2 === 0 ? { exitCode: 1, stderr: 'pg_restore: error: extension "x" is not available' } : restore(call);
};

/** As pg_cron: its extension can exist only in the database of one name. */
const onlyUnderItsName: Spoil = (scripts) => {
  const restore = scripts['pg_restore -w *'] as Scripted;
  scripts['pg_restore -w *'] = (call) =>
    call.command.some((word) => word.includes('app.diun-pilot-'))
      ? { exitCode: 1, stderr: 'pg_restore: error: ERROR:  can only create extension in database app' }
      : restore(call);
};

const neverSwapped: Spoil = (scripts) => {
  const psql = scripts['psql *'] as Scripted;
  scripts['psql *'] = (call) =>
    call.command.some((word) => word.includes(' RENAME TO ')) ? { exitCode: 1, stderr: 'ERROR:  no' } : psql(call);
};

/** The first question after the databases have changed places. */
const failsOnceSwapped: Spoil = (scripts) => {
  const psql = scripts['psql *'] as Scripted;
  let swapped = 0;
  scripts['psql *'] = (call) => {
    if (call.command.some((word) => word.includes(' RENAME TO '))) swapped += 1;
    else if (swapped === 1 && ++swapped) return { exitCode: 1, stderr: 'FATAL:  the server is starting up' };
    return psql(call);
  };
};

/** Numbers of the calls that change something, from the last that `from` matches to the last that `to` matches, when nothing crashes. */
async function actsOf(spoil: Spoil, from: RegExp, to: RegExp): Promise<number[]> {
  const { forge, scene } = await askedRestore();
  spoil(forge.specs['postgres:15']?.scripts ?? {});
  const earlier = scene.engine.transcript.length;
  await scene.settle();
  const calls = scene.engine.transcript.slice(earlier);
  scene.close();
  const last = (which: RegExp): number => calls.findLastIndex(({ line }) => which.test(line));
  return actsIn(calls.slice(0, last(to) + 1), last(from));
}

async function restoreWithCrash(spoil: Spoil, at: number, when: 'before' | 'after'): Promise<AskedRestore> {
  const asked = await askedRestore();
  spoil(asked.forge.specs['postgres:15']?.scripts ?? {});
  // Health is polled a time more or less: then the last crash comes after the end.
  await Promise.race([asked.scene.engine.crashAt(at, when), asked.scene.settle()]);
  const scene = nextProcess(asked.scene);
  await scene.settle();
  return { ...asked, scene };
}

const END = /^/;

it.each<[string, Spoil, RegExp, RegExp, string[]]>([
  ['that goes well', none, /^stop forge-runner-1$/, END, ['succeeded']],
  [
    'that needs the name of the running database',
    onlyUnderItsName,
    /DROP DATABASE IF EXISTS "app\.diun/,
    /DROP DATABASE IF EXISTS "postgres\.diun/,
    ['succeeded'],
  ],
  ['whose second database is refused', secondDatabaseRefused, /^execInput .*pg_restore -w/, END, ['failed']],
  ['whose databases cannot change places', neverSwapped, /^extract /, END, ['failed']],
  ['that fails when all has changed places', failsOnceSwapped, /^extract /, END, ['failed', 'succeeded']],
])(
  'a restore %s, with a crash at every act: the data is that of the set or that from before, nothing is lost, all serve',
  async (_, spoil, from, to, ends) => {
    const acts = await actsOf(spoil, from, to);
    expect(acts.length).toBeGreaterThan(5);
    for (const at of someOf(acts, 7)) {
      for (const when of ['before', 'after'] as const) {
        const asked = await restoreWithCrash(spoil, at, when);
        expectWhole(`crash ${when} call ${at}`, asked, ends);
        asked.scene.close();
      }
    }
  },
  240_000,
);

function expectWhole(where: string, { forge, scene, backedUp, changed }: AskedRestore, ends: string[]): void {
  const { engine } = scene;
  const { status, error } = restoreOf(scene);
  expect([where, ends, error]).toEqual([where, expect.arrayContaining([status]), error]);
  const done = status === 'succeeded';
  expect([where, told(dataOf(engine, forge.databases))]).toEqual([where, told(done ? backedUp : changed)]);
  const kept = Object.values(told(keptOf(engine, forge.databases))).sort();
  expect([where, kept]).toEqual([where, done ? Object.values(told(changed)).sort() : []]);
  expect([where, leftovers(engine, forge.databases)]).toEqual([where, []]);
  expect([where, engine.containerNames()]).toEqual([where, FORGE]);
  expect([where, FORGE.filter((name) => !engine.isRunning(name))]).toEqual([where, []]);
  expect([where, scene.mails().filter(({ kind }) => kind === 'restore_ended').length]).toEqual([where, 1]);
}

/** Each database by a hash, each file by its content. */
function told({ databases, files }: DataSeen): Record<string, string> {
  const hashes = Object.entries(databases).map(([name, dump]) => [
    name,
    createHash('sha256').update(dump).digest('hex'),
  ]);
  return { ...Object.fromEntries(hashes), ...files };
}
