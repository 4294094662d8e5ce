import { writtenProgress } from '../../../src/lib/written-progress';
import { recordingLogger } from '../../support/recording-logger';
import { TestClock } from '../../support/test-clock';

const clock = new TestClock({ autoAdvance: false });

it('writes at most two texts a second', async () => {
  const written: string[] = [];
  const progress = writtenProgress({ clock, logger: recordingLogger().logger }, (detail) => written.push(detail));
  for (let at = 0; at < 1_000; at += 100) {
    progress(`${at} ms`);
    await clock.advance(100);
  }
  expect(written).toEqual(['0 ms', '500 ms']);
});

it('logs a text that cannot be written, and tries another one in 30 s', async () => {
  const { logger, lines } = recordingLogger();
  const tried: string[] = [];
  let broken = true;
  const progress = writtenProgress({ clock, logger }, (detail) => {
    tried.push(detail);
    if (broken) throw new Error('database is locked');
  });
  progress('first');
  await clock.advance(29_000);
  progress('too early');
  broken = false;
  for (const detail of ['next', 'last']) {
    await clock.advance(1_000);
    progress(detail);
  }
  expect(tried).toEqual(['first', 'next', 'last']);
  expect(lines).toMatchObject([{ level: 'warn', error: new Error('database is locked') }]);
});
