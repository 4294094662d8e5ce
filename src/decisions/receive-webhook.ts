import { z } from 'zod';
import { PilotError } from '../domain/errors';
import type { ImageEvent } from '../domain/event';
import { parseImageReference, REFERENCE_PATTERN, splitReference } from '../domain/images/image-reference';
import type { Inbox } from '../ports/store';
import { jsonOrUndefined } from '../lib/json';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The body that Diun 4 sends (docs/research/diun.md; recorded in test/fixtures/diun). Fields that we do not need may change freely. */
export const diunBody = z.object({
  status: z.enum(['new', 'update']),
  image: z.string().min(1).max(1000).refine(isReference, 'not an image reference').meta({ pattern: REFERENCE_PATTERN }),
  digest: z.string().regex(DIGEST, 'not a digest of the form sha256:…'),
  platform: z.string().max(200),
  hub_link: z.unknown().optional().meta({ description: 'Address of the release notes; any other value is left out' }),
});

/** Of any label of an image, whose author is not trusted: a longer one is ignored. */
const LONGEST_LINK = 4000;

/**
 * Stores a webhook's raw body before anything is answered: what was accepted is never lost, what cannot be read is kept
 * for the operator. Throws `invalid_body` or `invalid_request` with the field and the reason after it was kept.
 */
export function receiveWebhook(inbox: Inbox, rawBody: string): { id: string; duplicate: boolean } {
  const read = readDiunBody(rawBody);
  if ('error' in read) {
    inbox.reject(rawBody, read.error.message);
    throw read.error;
  }
  return inbox.accept({ body: rawBody, event: read.event });
}

export function readDiunBody(rawBody: string): { event: ImageEvent } | { error: PilotError } {
  const json = jsonOrUndefined(rawBody);
  if (json === undefined) return { error: notJson(rawBody) };
  const parsed = diunBody.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      field: path.join('.') || 'body',
      reason: message,
    }));
    const listed = problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    const details = { ...problems[0], problems };
    return { error: new PilotError('invalid_request', `Not a Diun notification: ${listed}.`, { details }) };
  }
  const { hub_link: link, image, digest, status, platform } = parsed.data;
  const releaseNotes = typeof link === 'string' && isHttp(link) ? link : null;
  return { event: { target: { reference: askedOf(image), digest }, status, platform, releaseNotes } };
}

/**
 * Diun names the image as Swarm or the operator wrote it, also with the digest that runs; the digest that it reports is that of the
 * tag all the same, and of `latest` where there is none (Diun, pkg/registry/ref.go). So an event is always about a tag: of a
 * digest any registry would confirm itself.
 */
function askedOf(image: string): string {
  const { name, tag } = splitReference(image);
  return tag === null ? name : `${name}:${tag}`;
}

function notJson(rawBody: string): PilotError {
  const reason = rawBody === '' ? 'empty' : 'not JSON';
  return new PilotError('invalid_body', `The body is ${reason}: Diun sends JSON.`, {
    details: { field: 'body', reason },
  });
}

function isReference(text: string): boolean {
  try {
    parseImageReference(text);
    return true;
  } catch {
    return false;
  }
}

function isHttp(link: string): boolean {
  return link.length <= LONGEST_LINK && URL.canParse(link) && ['http:', 'https:'].includes(new URL(link).protocol);
}
