import { request } from 'node:http';

/** One request on a connection of its own. */
export interface Answered {
  /** When the answer (or the failure) came, in milliseconds since the epoch. */
  at: number;
  ok: boolean;
  /** The body; for a failure, the reason. */
  said: string;
}

export interface SteadyLoad {
  /** Sends no more, waits for what is under way, and tells all in the order of the answers. */
  stop(): Promise<Answered[]>;
}

/** Asks `rate` times a second, whether answers come or not; a timer that comes late makes up for it. */
export function steadyLoad(url: string, rate: number, answersWithinMs = 10_000): SteadyLoad {
  const answers: Answered[] = [];
  const open = new Set<Promise<void>>();
  const begun = performance.now();
  let sent = 0;
  const ask = (): void => {
    const asked = askOnce(url, answersWithinMs).then((answer) => void answers.push(answer));
    open.add(asked);
    void asked.finally(() => open.delete(asked));
  };
  const timer = setInterval(
    () => {
      for (const due = ((performance.now() - begun) / 1000) * rate; sent < due; sent++) ask();
    },
    Math.max(1, 1000 / rate),
  );
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      return answers.sort((a, b) => a.at - b.at);
    },
  };
}

function askOnce(url: string, withinMs: number): Promise<Answered> {
  return new Promise((resolve) => {
    const done = (ok: boolean, said: string): void => resolve({ at: Date.now(), ok, said });
    const asked = request(url, { agent: false, timeout: withinMs }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.once('end', () => done(response.statusCode === 200, body));
      response.once('error', (error) => done(false, error.message));
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', (error) => done(false, error.message));
    asked.end();
  });
}
