import type { Container } from '../../domain/container';
import { codeOf, messageOf } from '../../domain/errors';
import { runsUnderShell } from '../../domain/handover';
import { copiedText, lostText, NOTHING_TO_SAY, type CarryOver } from '../../domain/recreate/carry-over';
import { fewAtATime } from '../../lib/concurrency';
import { layerFiles } from './layer-files';
import { carryOverRefusals, type LooksAhead } from './refusals';

const AT_ONCE = 4;

/**
 * What a replacement of the container would be refused for or would lose, for plan and `check`. A container that cannot be
 * examined has nothing to say: its update reports the reason. Rejects only with `engine_unreachable`.
 */
export async function foreseeCarryOver(deps: LooksAhead, container: Container): Promise<CarryOver> {
  try {
    const inspect = await deps.engine.inspectContainer(container.id);
    const image = await deps.engine.inspectImage(inspect.Image);
    const files = await layerFiles(deps.engine, inspect);
    const notes = [
      copiedText(files),
      lostText(container.name, files),
      container.labels.strategy === 'handover' && runsUnderShell(inspect) ? underShell(container.name) : null,
    ];
    return {
      refusals: await carryOverRefusals(deps, { container, inspect, image, files }),
      notes: notes.filter((note) => note !== null),
    };
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    const fields = { container: container.name, reason: messageOf(error) };
    deps.logger.warn('what an update would carry over is not known', fields);
    return NOTHING_TO_SAY;
  }
}

/** The same of several, by ID. */
export async function foreseeCarryOvers(
  deps: LooksAhead,
  containers: readonly Container[],
): Promise<ReadonlyMap<string, CarryOver>> {
  const found = await fewAtATime(containers, AT_ONCE, (container) => foreseeCarryOver(deps, container));
  return new Map(containers.map(({ id }, index) => [id, found[index] ?? NOTHING_TO_SAY]));
}

function underShell(name: string): string {
  return `The main process of ${name} is a shell, which does not pass the stop signal on: at a handover the old one is killed and loses its requests. Start the server with exec, or name it as the command.`;
}
