import { Session } from 'node:inspector';

/** Counts how often the blocks of our own code run, as V8 counts them: the same on every machine, however slow it is. */
export interface WorkCounter {
  /** Blocks that ran since the last call. */
  taken(): number;
  close(): void;
}

/** To be opened before the code runs for the first time: V8 counts blocks only of functions that it compiles from then on. */
export function countWork(folder = '/src/'): WorkCounter {
  const session = new Session();
  session.connect();
  const post = <Result>(method: string, parameters: object = {}): Result => {
    let answer: Result | undefined;
    // A session of the own thread answers before it returns.
    session.post(method, parameters, (error: Error | null, result?: object) => {
      if (error) throw error;
      answer = result as Result;
    });
    return answer as Result;
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    taken: () => {
      const { result } = post<{ result: Script[] }>('Profiler.takePreciseCoverage');
      const own = result.filter(({ url }) => url.includes(folder) && !url.includes('/node_modules/'));
      return own.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges)).reduce(sum, 0);
    },
    close: () => {
      post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

interface Script {
  url: string;
  functions: { ranges: { count: number }[] }[];
}

const sum = (total: number, { count }: { count: number }): number => total + count;
