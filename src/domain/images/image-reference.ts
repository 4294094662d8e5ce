import { PilotError } from '../errors';

/** A normalised image reference: `nginx` is `{docker.io, library/nginx, latest}`. At least one of tag and digest is there. */
export interface ImageReference {
  domain: string;
  path: string;
  tag: string | null;
  /** `sha256:…`. */
  digest: string | null;
}

// The grammar of github.com/distribution/reference (reference.go, regexp.go, normalize.go).
const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library';
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;
const LONGEST_PATH = 255;
const LONGEST_REFERENCE = 1000;

/**
 * The grammar as one pattern, for documents: what it matches is a reference, but for image
 * IDs and a first part such as `a_b.c`, which is neither a host name nor a name.
 */
export const REFERENCE_PATTERN = `^(?=[^@]{1,255}(?:@|$))(?:${DOMAIN.source.slice(1, -1)}/)?${PATH.source.slice(1, -1)}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@${DIGEST.source.slice(1, -1)})?$`;

/**
 * Reads a reference by the distribution grammar, with Docker's normalisation: no domain means `docker.io`, one path
 * component there means `library/…`, neither tag nor digest means `latest`. Throws `invalid_reference`.
 */
export function parseImageReference(text: string): ImageReference {
  if (text.length > LONGEST_REFERENCE) throw invalid(text, 'it is longer than any reference can be');
  if (IMAGE_ID.test(text)) throw invalid(text, 'it is an image id; write the name and tag instead');
  const { name, tag, digest } = splitReference(text);
  if (tag !== null && !TAG.test(tag)) throw invalid(text, 'its tag has characters that no tag may have');
  if (digest !== null && !DIGEST.test(digest)) throw invalid(text, 'its digest is not sha256: and 64 hex digits');
  const { domain, path } = splitName(name);
  if (!DOMAIN.test(domain)) throw invalid(text, 'its registry is not a host name');
  if (path !== path.toLowerCase()) throw invalid(text, 'its name must be in lower case');
  if (!PATH.test(path)) throw invalid(text, 'its name is empty or has characters that no name may have');
  if (path.length > LONGEST_PATH) throw invalid(text, `its name is longer than ${LONGEST_PATH} characters`);
  return { domain, path, tag: tag ?? (digest === null ? 'latest' : null), digest };
}

/** Like `parseImageReference`, for text that may well be none (a container created by image id): null then. */
export function tryParseImageReference(text: string): ImageReference | null {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (error instanceof PilotError) return null;
    throw error;
  }
}

/** The normalised spelling: `docker.io/library/nginx:latest`. Parsing it gives the same reference again. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`;
  const digest = reference.digest === null ? '' : `@${reference.digest}`;
  return `${repositoryOf(reference)}${tag}${digest}`;
}

/** Domain and path, without tag and digest: `docker.io/library/nginx`. */
export function repositoryOf(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}`;
}

/** Whether both name one repository, by whatever tag or digest. */
export function sameRepository(one: ImageReference, other: ImageReference): boolean {
  return one.domain === other.domain && one.path === other.path;
}

/** `original` with another tag and no digest, otherwise as the operator spells it. Throws `invalid_reference`. */
export function withTag(original: string, tag: string): string {
  parseImageReference(original);
  if (!TAG.test(tag)) throw invalid(`${original.slice(0, 200)}:${tag}`, 'its tag has characters that no tag may have');
  return `${splitReference(original).name}:${tag}`;
}

/** What is pulled, `docker.io/library/nginx@sha256:…`, from any spelling of the repository. Throws `invalid_reference`. */
export function digestReference(reference: string | ImageReference, digest: string): string {
  const parsed = typeof reference === 'string' ? parseImageReference(reference) : reference;
  if (!DIGEST.test(digest)) throw invalid(digest, 'it is not a digest of the form sha256: and 64 hex digits');
  return `${repositoryOf(parsed)}@${digest}`;
}

/** The three parts as they are written, unchecked. */
export function splitReference(text: string): { name: string; tag: string | null; digest: string | null } {
  const at = text.indexOf('@');
  const digest = at < 0 ? null : text.slice(at + 1);
  const tagged = at < 0 ? text : text.slice(0, at);
  const colon = tagged.lastIndexOf(':');
  if (colon <= tagged.lastIndexOf('/')) return { name: tagged, tag: null, digest };
  return { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

/** The first component is a registry only if it could not be part of a name (normalize.go, `splitDockerDomain`). */
function splitName(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = isDomain && first !== LEGACY_DEFAULT_DOMAIN ? first : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  const official = domain === DEFAULT_DOMAIN && path !== '' && !path.includes('/');
  return { domain, path: official ? `${OFFICIAL}/${path}` : path };
}

function invalid(text: string, why: string): PilotError {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return new PilotError('invalid_reference', `${shown} is not an image reference such as nginx:1.28: ${why}.`);
}

/** The tag that a reference names, `latest` if it names none; null: it names only a digest, or is not a reference. */
export function tagOf(reference: string): string | null {
  return tryParseImageReference(reference)?.tag ?? null;
}

/** Whether a reference names that tag; one without a tag names `latest`. False for what is not a reference, and for null. */
export function hasTag(reference: string, tag: string | null): boolean {
  return tag !== null && tagOf(reference) === tag;
}

export function hasSameTag(a: string, b: string): boolean {
  return tryParseImageReference(a)?.tag === tryParseImageReference(b)?.tag;
}

/**
 * The reference to create by: the operator's spelling, with the tag of the target (`nginx:1.27.3` → `nginx:1.27.4`). A target that
 * names only a digest means the own tag.
 */
export function newReferenceFor(oldReference: string, target: string): string {
  const old = parseImageReference(oldReference);
  const { tag } = parseImageReference(target);
  return tag === null || (old.tag ?? 'latest') === tag ? oldReference : withTag(oldReference, tag);
}

/**
 * What an update goes to: an image by its tag, and the digest that the registry names for that tag. An index has one digest for all
 * platforms: which image of it a host runs follows from the platform of the container.
 */
export interface ImageTarget {
  reference: string;
  digest: string;
}

/** Null: its digest is not known, so that nothing can be updated to it. */
export function targetOf({
  reference,
  digest,
}: Pick<ImageTarget, 'reference'> & { digest: string | null }): ImageTarget | null {
  return digest === null ? null : { reference, digest };
}
