import { healthReport } from '../../src/diagnosis/health-report';
import type { Check } from '../../src/diagnosis/problem';
import { startHeartbeat } from '../../src/http/health/heartbeat';
import { systemClock } from '../../src/lib/clock';
import { Secret } from '../../src/lib/secret';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/recording-logger';
import { startRecordingServer } from '../support/recording-server';

jest.setTimeout(60_000);

test('a service that hangs is given up after 15 s, reported, and called again', async () => {
  let hangs = true;
  const server = await startRecordingServer((_, response) => {
    if (!hangs) response.end();
  });
  const ok: Check = { status: 'ok' };
  const all = { database: ok, docker: ok, scheduler: ok, outbox: ok, backups: ok, certificates: ok, channels: ok };
  const { logger, lines } = recordingLogger();
  const beat = startHeartbeat({
    ...{
      url: new Secret(`http://127.0.0.1:${server.port}/secret-uuid`),
      intervalMs: 4_000,
      clock: systemClock,
      logger,
    },
    ask: () => Promise.resolve(healthReport('1', all)),
  });
  try {
    await eventually('it is given up', () => lines.length > 0, { everyMs: 10 });
    expect(server.requests).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'warn', reason: 'it did not answer within 15 s' });
    expect(JSON.stringify(lines)).not.toContain('secret-uuid');
    hangs = false;
    await eventually('it is answered', () =>
      lines.some(({ message }) => message === 'the heartbeat is answered again'),
    );
  } finally {
    hangs = false;
    await beat.stop();
    await server.close();
  }
});
