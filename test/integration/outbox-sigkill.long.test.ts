import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';
import { createDelivery, createNoticeDelivery } from '../../src/notifications/deliver';
import { endsAt } from '../support/outbox-ends';
import { recordingLogger } from '../support/recording-logger';

jest.setTimeout(240_000);

// A real process is killed with SIGKILL between any two steps of a delivery; the next one works on the same database file.

let server: Server;
let address: string;
let received: { path: string; id: string }[];
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      received.push({ path: request.url ?? '', id: String(request.headers['webhook-id']) });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** The steps that the process passed; the last one is where it was killed. */
function run(database: string, step: number): Promise<string[]> {
  const program = join(__dirname, '../support/outbox-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, database, address, String(step)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (step === 0 ? code === 0 : signal === 'SIGKILL') resolve(output.trim().split('\n'));
      else reject(new Error(`it ended with ${code ?? signal} at step ${step}: ${output}`));
    });
  });
}

/** The next process, which delivers what is pending, twice. */
async function deliverAgain(database: string): Promise<{ states: number; sent: number }> {
  const store = createSqliteStore({ path: database, clock: systemClock });
  const { logger } = recordingLogger();
  const { channel, transport } = endsAt(address);
  store.channels.use([channel]);
  const parts = { store, clock: systemClock, logger, random: () => 0 };
  const mail = createDelivery({ ...parts, transport, from: 'a@b.example', to: ['c@d.example'] });
  const notice = createNoticeDelivery({ ...parts, channel });
  for (let times = 0; times < 2; times++) for (const delivery of [mail, notice]) await delivery.deliverDue();
  const states = store.updates.list({ limit: 10 }).updates.length;
  const sent = store.outbox.recent(10).filter(({ status }) => status === 'sent').length;
  store.close();
  return { states, sent };
}

const idsAt = (path: string): string[] => received.filter((each) => each.path === path).map(({ id }) => id);
/** Killed in between, no process can know whether it was delivered. */
const unknowable = (killedAt: string, what: 'mail' | 'notice'): boolean => {
  const store = what === 'mail' ? 'outbox' : 'channel';
  return [`after ${what}.send`, `before ${store}.sent`].includes(killedAt);
};

test('each notice is delivered at least once, and twice only where no process can know of the first', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outbox-sigkill-'));
  try {
    received = [];
    const steps = await run(join(folder, 'whole.db'), 0);
    expect(steps).toContain('before notice.send');
    expect([idsAt('/mail').length, idsAt('/channel').length]).toEqual([1, 1]);
    const wrong: unknown[] = [];
    for (const [index, step] of steps.entries()) {
      received = [];
      const database = join(folder, `${index}.db`);
      const passed = await run(database, index + 1);
      expect(passed.at(-1)).toBe(step);
      const { states, sent } = await deliverAgain(database);
      const expected =
        states === 0 ? [0, 0] : [1 + Number(unknowable(step, 'mail')), 1 + Number(unknowable(step, 'notice'))];
      const seen = [idsAt('/mail').length, idsAt('/channel').length];
      const areSame = new Set(received.map(({ id }) => id)).size <= 1;
      if (String(seen) !== String(expected) || sent !== states || !areSame)
        wrong.push([step, { seen, expected, sent, states }]);
    }
    expect(wrong).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
