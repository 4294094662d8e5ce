import { type Reloaded, reloadNginx } from '../../containers/nginx';
import { containerOf, inspectByName, inspectIfThere } from '../../containers/read-containers';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import { formatTimeout } from '../../domain/format';
import { addressesIn, type Front, type Neighbour } from '../../domain/health/neighbour';
import type { ProxiedSite } from '../../domain/nginx/nginx-sites';
import type { Progress } from '../../lib/logger';
import { fewAtATime } from '../../lib/promises';
import { addressesOf } from '../../probes/addresses';
import { askSite, isAnswered, type SiteAnswer, siteText } from '../../probes/ask-http';
import { type ActiveUpdate, checkpoint } from '../run';

const AT_ONCE = 4;
const ASK_EVERY_MS = 1_000;

type NginxNeighbour = Neighbour & { nginx: Front };

/**
 * Reloads an nginx if the operator's `restart: true` says so, if a container behind it has another address, or if a site no
 * longer answers; then waits until every site that answered before the update does so again, for the time of its own probe.
 * Rejects with `unhealthy`.
 */
export async function seeToNginx(
  run: ActiveUpdate,
  neighbour: NginxNeighbour,
  { id, isOrdered }: { id: string; isOrdered: boolean },
): Promise<string[]> {
  const { nginx } = neighbour;
  const moved = await whoMoved(run, neighbour);
  const why = isOrdered ? 'depends_on with restart: true' : moved;
  const seen: string[] = [];
  if (why !== null) seen.push(await reload(run, neighbour, { id, why }));
  if (nginx.sites.length > 0) seen.push(await untilAnswered(run, neighbour, { id, reloaded: why !== null }));
  return seen;
}

/**
 * In a handover: so that nginx knows the new address before the old one is gone. Whether it serves is asked when the update is
 * checked. Rejects only with `engine_unreachable`.
 */
export async function reloadFronts(run: ActiveUpdate, progress: Progress): Promise<void> {
  const { neighbourhood, containerName } = run.journal;
  if (neighbourhood === undefined || (neighbourhood.addresses[containerName] ?? []).length === 0) return;
  for (const neighbour of neighbourhood.neighbours) {
    if (neighbour.nginx?.readable !== true || !neighbour.nginx.upstreams.includes(containerName)) continue;
    const container = await inspectIfThere(run.engine, neighbour.id);
    if (container === null) continue;
    progress(`${neighbour.name} is reloaded`);
    touch(run, neighbour.id);
    await reloadIfPossible(run, neighbour, container);
  }
}

async function reloadIfPossible(run: ActiveUpdate, { name }: Neighbour, container: ContainerInspect): Promise<void> {
  try {
    const { how } = await reloadNginx(run.engine, container);
    run.logger.info('nginx is reloaded for a handover', { update: run.update.id, container: name, how });
  } catch (error) {
    rethrowEngineLost(error);
    const fields = { update: run.update.id, container: name, reason: messageOf(error) };
    run.logger.warn('nginx could not be reloaded for a handover', fields);
  }
}

/** Why what it has loaded may be old; null: it is not. */
async function whoMoved(run: ActiveUpdate, { nginx, touched }: NginxNeighbour): Promise<string | null> {
  if (touched === true) return 'addresses changed during the update';
  for (const name of nginx.upstreams) {
    const container = await inspectByName(run.engine, name);
    const now = container === null ? [] : addressesIn(container);
    const before = run.journal.neighbourhood?.addresses[name] ?? [];
    if (now.length > 0 && now.join() !== before.join()) return `${name} has another address`;
  }
  return null;
}

async function reload(
  run: ActiveUpdate,
  neighbour: NginxNeighbour,
  { id, why }: { id: string; why: string },
): Promise<string> {
  const { name, nginx } = neighbour;
  touch(run, neighbour.id);
  const container = await run.engine.inspectContainer(id);
  const reloaded: Reloaded = await refusedIsUnhealthy(reloadNginx(run.engine, container));
  run.logger.info('nginx is reloaded', { update: run.update.id, container: name, reason: why, how: reloaded.how });
  if (reloaded.how === 'reloaded') return `${name} was reloaded (${why})`;
  if (reloaded.how === 'restarted')
    return `${name} was restarted (${why}), because it could not be reloaded: ${reloaded.why}`;
  const words = `${name} could not be reloaded (${why}): ${reloaded.why}`;
  if (nginx.readable) throw new PilotError('unhealthy', `${words}. Before the update, its configuration passed.`);
  run.logger.warn('an nginx could not be reloaded', { update: run.update.id, container: name, reason: reloaded.why });
  return `${words}. Its configuration did not pass before the update either: correct it, then reload it`;
}

async function untilAnswered(
  run: ActiveUpdate,
  neighbour: NginxNeighbour,
  { id, reloaded }: { id: string; reloaded: boolean },
): Promise<string> {
  const { clock, engine } = run;
  const timeoutMs = await timeoutOf(run, id);
  const deadline = clock.now().getTime() + timeoutMs;
  let mayReload = !reloaded;
  for (let looks = 1; ; looks++) {
    const failed = await unanswered(run, id, neighbour.nginx.sites);
    if (failed.length === 0) return `${neighbour.name}: ${answeredText(neighbour.nginx.sites)}`;
    if (clock.now().getTime() >= deadline) throw noAnswer(failed, timeoutMs);
    if (looks >= 2 && mayReload) {
      mayReload = false;
      touch(run, neighbour.id);
      const { how } = await refusedIsUnhealthy(reloadNginx(engine, await engine.inspectContainer(id)));
      run.logger.warn('nginx is reloaded, since a site no longer answers', {
        update: run.update.id,
        container: neighbour.name,
        reason: failed[0]?.words,
        how,
      });
    }
    await clock.sleep(ASK_EVERY_MS);
  }
}

interface Unanswered {
  site: ProxiedSite;
  words: string;
}

async function unanswered(run: ActiveUpdate, id: string, sites: readonly ProxiedSite[]): Promise<Unanswered[]> {
  const container = await run.engine.inspectContainer(id);
  const target = { engine: run.engine, container, addresses: await addressesOf(run, container) };
  const answers = await fewAtATime(sites, AT_ONCE, (site) => askSite(target, site));
  return sites.flatMap((site, index) => {
    const answer: SiteAnswer = answers[index] ?? { failure: 'not asked' };
    if (isAnswered(answer)) return [];
    return [{ site, words: 'status' in answer ? `answers ${answer.status}` : answer.failure }];
  });
}

function answeredText(sites: readonly ProxiedSite[]): string {
  const [first] = sites;
  const more = sites.length > 1 ? ` and ${sites.length - 1} more` : '';
  return first === undefined ? 'nothing to ask' : `${siteText(first)}${more} answered as before the update`;
}

function noAnswer(failed: readonly Unanswered[], timeoutMs: number): PilotError {
  const words = failed.map((each) => `${siteText(each.site)} ${each.words}`).join('; ');
  const within = `for ${formatTimeout(timeoutMs)}`;
  return new PilotError(
    'unhealthy',
    `The server behind it answered before the update, and does not now: ${words} (${within}).`,
  );
}

/** By its own labels, like its health check. */
async function timeoutOf(run: ActiveUpdate, id: string): Promise<number> {
  return (await containerOf(run, await run.engine.inspectContainer(id))).labels.probeTimeoutMs;
}

/** Writes down that a neighbour is restarted or reloaded, before the act: a crash, or a rollback, then does it again. */
export function touch(run: ActiveUpdate, id: string): void {
  const { neighbourhood, stage } = run.journal;
  if (neighbourhood === undefined) return;
  const neighbours = neighbourhood.neighbours.map((each) =>
    each.id === id ? { ...each, touched: true as const } : each,
  );
  checkpoint(run, stage, { neighbourhood: { ...neighbourhood, neighbours } });
}

/** An act on a container that the engine refused leaves it as a failed health check does. */
export async function refusedIsUnhealthy<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    throw new PilotError('unhealthy', `It could not be restarted: ${messageOf(error)}`, { cause: error });
  }
}
