import { createHash } from 'node:crypto';
import { EngineError } from '../../../domain/errors';
import type { JsonAnswer } from './ask-json';
import { refused, refusedByStatus } from './refusal';

/** The bytes first: content with another digest is not the requested one. */
export function refuseOtherContent(url: URL, { status, headers, content }: JsonAnswer, digest: string): void {
  refusedByStatus(url, { status, headers });
  if (status !== 200)
    throw new EngineError('registry_unreachable', `The registry ${url.host} gives no manifest (status ${status}).`);
  const [algorithm = ''] = digest.split(':', 1);
  if (`${algorithm}:${createHash(algorithm).update(content).digest('hex')}` !== digest)
    throw refused(url, `its answer does not have the digest ${digest}`);
}
