import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { keptReason } from '../domain/recreate/carry-over';
import { holderRequest } from '../domain/recreate/layer-copy';
import type { KeptContainer } from '../ports/stopped-containers';
import { asideName } from './artifact-names';
import { askedPlatform } from './carry-over/asked-platform';
import { copyWhole } from './carry-over/copy-whole';
import { lostFiles } from './carry-over/lost-files';
import { keepAside, keepLeftover, type KeptDeps } from './kept-containers';
import { removeByName } from './remove-aside';
import { keepStopped } from './restart-policy';

/** How long files that are in no volume outlive their container. */
const KEPT_FOR_MS = 86_400_000;

/** The old container, and what runs in its place. `container`: the name that both have had. */
export interface Replaced {
  old: ContainerInspect;
  replacementId: string;
  container: string;
  updateId: string;
}

/**
 * Keeps the files that would be lost with the old container, for a day, before that is removed. It cannot be kept itself:
 * labels of a container cannot be changed, and with those of Compose on it the next `docker compose up -d` removes the
 * new one. So the files are copied into a container that has no label of Compose and is never started. It is recorded when it is
 * whole; one without a record is made again. May be done twice. Resolves with what is kept; null: nothing would be lost.
 * Rejects when it could not be done: then the old container must stay.
 */
export async function keepLostFiles(deps: KeptDeps, replaced: Replaced): Promise<KeptContainer | null> {
  const { engine, store } = deps;
  const { old, container, updateId } = replaced;
  const name = asideName(container, 'kept', updateId);
  const whole = store.keptContainers.all().find((kept) => kept.name === name && !kept.leftover);
  if (whole !== undefined) return whole;
  await keepStopped(deps, old.Id);
  const files = await lostFiles(engine, old, replaced.replacementId);
  await removeByName(deps, name);
  if (files.length === 0) return null;
  const containerId = await fill(deps, replaced, name, files);
  return keepForADay(deps, { containerId, container, name, updateId, reason: keptReason(container, name, files) });
}

/**
 * Records one that has no record: kept if the old container is gone, since then it may be all there is of the files. Else it
 * may not be whole, and the removal of the old one makes another.
 */
export async function adoptHolder(deps: KeptDeps, found: Omit<KeptContainer, 'leftover' | 'keepUntil'>): Promise<void> {
  const old = asideName(found.container, 'old', found.updateId);
  const isThere = (await deps.engine.containers()).some(({ name }) => name === old);
  await (isThere ? keepLeftover(deps, found) : keepForADay(deps, found));
}

/** From now on. Resolves with the entry. */
async function keepForADay(
  deps: KeptDeps,
  found: Omit<KeptContainer, 'leftover' | 'keepUntil'>,
): Promise<KeptContainer> {
  const keepUntil = new Date(deps.clock.now().getTime() + KEPT_FOR_MS).toISOString();
  const kept = { ...found, leftover: false, keepUntil };
  await keepAside(deps, kept);
  return kept;
}

async function fill(deps: KeptDeps, replaced: Replaced, name: string, files: readonly string[]): Promise<string> {
  const { engine } = deps;
  const { old, container, updateId } = replaced;
  try {
    const image = await engine.inspectImage(old.Image);
    const { platform } = await askedPlatform(engine, old, image);
    const id = await engine.createContainer(name, holderRequest(old, image, platform));
    await copyWhole(engine, old, id, files);
    return id;
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    await removeByName(deps, name);
    const what = `${files.length} of its files are outside of volumes and could not be copied to be kept: ${messageOf(error)}`;
    const remedy = `Copy what you need: docker cp ${asideName(container, 'old', updateId)}:PATH .`;
    throw new PilotError(codeOf(error), `${what} ${remedy}`, { cause: error });
  }
}
