import type { Block, Letter } from './letter';

/** When diun-pilot runs in a container, the host has no such command. */
export const IN_ITS_CONTAINER =
  'If diun-pilot runs in a container, run each diun-pilot command as "docker compose exec diun-pilot …" in the folder of its compose file.';

const WHERE_THE_PAGE_IS =
  'If this address opens another service, the operator page is only reachable from the server: run ssh -L 8080:localhost:8080 SERVER and open http://localhost:8080.';

/** At the foot of a mail: how to open its link and run its commands in the stack that the project ships. */
export function notesOf({ blocks, page, onOperatorPage }: Letter): string[] {
  return [
    ...(onOperatorPage === true && page !== '' ? [WHERE_THE_PAGE_IS] : []),
    ...(asksForPilot(blocks) ? [IN_ITS_CONTAINER] : []),
  ];
}

/** Whether a command is shown that may exist only in the service's own container. */
function asksForPilot(blocks: readonly Block[]): boolean {
  return blocks.some(
    (block) => block.type === 'commands' && block.lines.some((line) => line.startsWith('diun-pilot ')),
  );
}
