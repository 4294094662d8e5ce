import { recordDecision } from '../approvals/record-decision';
import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { Decision } from '../domain/decision/decision';
import type { ErrorCode } from '../domain/errors';
import { PilotError } from '../domain/errors';
import { formatReference, parseImageReference, sameRepository } from '../domain/images/image-reference';
import { runsDigest } from '../domain/running-digest';
import type { Update } from '../domain/update';
import { offer } from './offer';

type Ignored = Extract<Decision, { kind: 'ignore' }>;

/** Decisions that refuse the operator's request, and the error that tells so. The others are answered as an update. */
const REFUSALS: Partial<Record<Ignored['code'], ErrorCode>> = {
  not_watched: 'container_not_watched',
  self: 'container_is_self',
  policy_ignore: 'policy_ignore',
  auto_remove: 'auto_remove',
  digest_reference: 'invalid_reference',
};

/**
 * The operator asks for an update: to `image`, or to what the container's own tag names in the registry now. He is the
 * approval, so that no policy, declined or failed digest holds it up; every other guard is the same. An update of the
 * same digest that waits for approval is approved by it; so is one to another tag, where he names no image and his own tag
 * has nothing new.
 *
 * Rejects with `container_not_found`, `container_not_watched`, `policy_ignore`, `container_is_self`, `auto_remove`,
 * `different_repository`, `invalid_reference`, `update_running`, `registry_…` and `engine_unreachable`.
 */
export async function requestUpdate(deps: Deps, request: { container: string; image?: string }): Promise<Update> {
  const all = await readContainers(deps.engine, deps.selfId);
  const container = all.find(({ name }) => name === request.container);
  if (container === undefined) throw notFound(request.container, all);
  const target = await resolveTarget(deps, container, request.image);
  return deps.store.transaction(() => {
    const open = deps.store.updates.openFor(container.name);
    if (open.some(({ status }) => status === 'running')) throw alreadyRuns(container);
    const waiting = open.filter(({ status }) => status === 'awaiting_approval');
    const meant =
      waiting.find(({ to }) => to.digest === target.digest) ?? (nothingElse(container, target, request) && waiting[0]);
    const approved = meant && recordDecision(deps, meant, 'approve', 'by asking for it');
    if (approved) return approved;
    const { decision, update } = offer(deps, { container, all, target, source: 'operator', releaseNotes: null });
    const code = decision.kind === 'ignore' ? REFUSALS[decision.code] : undefined;
    if (code !== undefined) throw new PilotError(code, decision.reason);
    return update;
  });
}

/** No image is named, and the container runs what its own tag names: what waits is then all that he can mean. */
function nothingElse(container: Container, { digest }: { digest: string }, { image }: { image?: string }): boolean {
  return image === undefined && runsDigest(container, digest);
}

async function resolveTarget(
  deps: Deps,
  container: Container,
  image = container.reference,
): Promise<{ reference: string; digest: string }> {
  const reference = parseImageReference(image);
  if (!sameRepository(reference, parseImageReference(container.reference))) {
    throw new PilotError(
      'different_repository',
      `${container.name} runs ${container.reference}; ${image} is of another repository. Change the compose file for that.`,
    );
  }
  const digest = reference.digest ?? (await deps.engine.registryDigest(image));
  const tag = reference.tag ?? parseImageReference(container.reference).tag;
  return { reference: formatReference({ ...reference, tag, digest: null }), digest };
}

function notFound(name: string, all: Container[]): PilotError {
  const watched = all.filter(({ labels }) => labels.watched).map((container) => container.name);
  const known = watched.length === 0 ? 'No container is watched.' : `Watched are: ${watched.join(', ')}.`;
  return new PilotError('container_not_found', `There is no container ${name}. ${known}`);
}

function alreadyRuns({ name }: Container): PilotError {
  return new PilotError('update_running', `An update of ${name} runs already: wait for its end, see GET /updates.`);
}
