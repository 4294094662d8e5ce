import { type CliContext, withApp } from '../../../src/cli/with-app';
import { EngineError } from '../../../src/domain/errors';
import type { Logger } from '../../../src/lib/logger';
import { FakeSignals } from '../../support/cli-app';

test('a command shows why something went wrong next to its output, whether it is logged as text or as an error', async () => {
  const shown: string[] = [];
  let logger: Logger | undefined;
  const context = {
    loadSettings: () => ({}),
    openApp: (_settings: unknown, parts: { logger: Logger }) => {
      ({ logger } = parts);
      return { close: () => Promise.resolve() };
    },
    ...{
      stdout: { write: () => true },
      stderr: { write: (text: string) => shown.push(text) },
      signals: new FakeSignals(),
    },
  } as unknown as CliContext;
  await withApp(context, { json: false }, () => {
    logger?.error('it failed', { error: new EngineError('engine_unreachable', 'The engine went away.') });
    logger?.error('it failed', { error: 'The engine is slow.' });
    logger?.warn('it is late', { container: 'web' });
    return Promise.resolve(0);
  });
  expect(shown).toEqual(['it failed: The engine went away.\n', 'it failed: The engine is slow.\n', 'it is late\n']);
});
