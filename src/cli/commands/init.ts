import { randomBytes } from 'node:crypto';
import { FIND_GROUP, firstCompose } from '../../domain/compose/first-compose-file';
import type { CliContext } from '../context';
import { asJson } from '../text';
import { printError } from '../with-app';

/**
 * Prints the compose file of a first installation on standard output, and what to do with it on standard error. Reads no
 * settings, opens no database and writes no file.
 */
export function initCommand(context: CliContext, { json, diun }: { json: boolean; diun: boolean }): number {
  try {
    const socket = context.dockerSocket();
    const secrets = { webhookToken: secret(), apiToken: secret(), approvalSecret: secret() };
    const compose = firstCompose({ diun, secrets, socket });
    context.stdout.write(json ? asJson({ compose, socketGroup: socket.group }) : compose);
    context.stderr.write('This compose file contains secrets: store it with mode 600 (chmod 600 compose.yaml).\n');
    if (socket.group === null) {
      context.stderr.write(
        `The group of the Docker socket is not known here, because ${socket.path} is not mounted. Before the start, run on the Docker host, next to the file: ${FIND_GROUP}\n`,
      );
    }
    return 0;
  } catch (error) {
    return printError(context, error, json);
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
