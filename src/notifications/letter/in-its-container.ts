import type { Block, Letter } from './letter';

/** Where the service runs by Compose, there is no such command on the host itself. */
export const IN_ITS_CONTAINER =
  'Where diun-pilot runs in a container, put "docker compose exec diun-pilot" before each command that begins with diun-pilot, in the folder of its compose file.';

const WHERE_THE_PAGE_IS =
  'Where that address leads to another service, the operator page is open to the server alone: ssh -L 8080:localhost:8080 SERVER, then http://localhost:8080.';

/** At the foot of a mail: how its link and its commands are reached in the set-up that the project ships. */
export function notesOf({ blocks, page, onOperatorPage }: Letter): string[] {
  return [
    ...(onOperatorPage === true && page !== '' ? [WHERE_THE_PAGE_IS] : []),
    ...(asksForPilot(blocks) ? [IN_ITS_CONTAINER] : []),
  ];
}

/** Whether something is to be typed that only the service's own container may have. */
function asksForPilot(blocks: readonly Block[]): boolean {
  return blocks.some(
    (block) => block.type === 'commands' && block.lines.some((line) => line.startsWith('diun-pilot ')),
  );
}
