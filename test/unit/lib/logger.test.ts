import { PassThrough } from 'node:stream';
import winston from 'winston';
import { EngineError } from '../../../src/domain/errors';
import { createLogger, type Logger } from '../../../src/lib/logger';
import { Secret } from '../../../src/lib/secret';

/** The line that is written for what a caller logs. */
function written(log: (logger: Logger) => void): Record<string, unknown> {
  const parts: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (part: Buffer) => parts.push(part.toString()));
  const logger = createLogger('info');
  (logger as unknown as winston.Logger).clear().add(new winston.transports.Stream({ stream }));
  log(logger);
  return JSON.parse(parts.join('')) as Record<string, unknown>;
}

const cause = new TypeError("Cannot read properties of undefined (reading 'Labels')");
const error = new EngineError('engine_unreachable', 'The engine went away.', { cause });

test('an error is written with its stack and its causes, wherever it is', () => {
  const line = written((logger) => logger.child({ child: error }).error('failed', { error, nested: [{ error }] }));
  const stack = expect.stringMatching(
    /^[^]*: The engine went away\.\n +at [^]*\nCaused by: TypeError: [^]*'Labels'[^]*\n +at /,
  );
  expect(line).toMatchObject({ message: 'failed', error: stack, nested: [{ error: stack }], child: stack });
});

test('an error that is its own cause is written once', () => {
  const circular = new Error('again');
  circular.cause = circular;
  expect(String(written((logger) => logger.error('failed', { error: circular })).error).match(/again/g)).toHaveLength(
    1,
  );
});

test('a secret stays redacted, also as a property of an error', () => {
  const secret = new Secret('hunter2');
  const refused = Object.assign(new Error(`refused: ${String(secret)}`), { secret, input: 'https://host/hunter2' });
  const line = written((logger) => logger.error('failed', { error: refused, secret }));
  expect(line).toMatchObject({ secret: '[redacted]', error: expect.stringContaining('refused: [redacted]') });
  expect(JSON.stringify(line)).not.toContain('hunter2');
});
