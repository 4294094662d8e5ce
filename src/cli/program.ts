import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { nearestName } from '../domain/text/nearest-name';
import { UPDATE_STATUSES } from '../domain/update';
import {
  approveCommand,
  declineCommand,
  rehearseCommand,
  updateCommand,
  updatesCommand,
  type UpdatesArguments,
} from './commands/update';
import { auditCommand, type AuditArguments } from './commands/audit';
import { backupCommand, backupsCommand, type BackupArguments } from './commands/backup';
import { checkCommand } from './commands/check';
import { recoveryKitCommand } from './recovery';
import { initCommand, suggestCommand } from './commands/set-up';
import { renewCommand } from './commands/renew';
import { restoreCommand, type RestoreArguments } from './commands/restore';
import { serveCommand } from './commands/serve';
import type { CliContext } from './with-app';
import { printableContext } from './output';

const SETTINGS_HELP = `
Settings come from the environment (PILOT_…), the same for every command: see docs/configuration.md and .env.example.
Every command takes --json, and exits with 0 only on success.`;

/** Runs one command line (without `node` and the script), and resolves with its exit code. */
export async function runCli(args: string[], given: CliContext): Promise<number> {
  const context = printableContext(given);
  let code = 0;
  const program = createProgram(context, (result) => (code = result));
  try {
    refuseUnknownCommand(program, args[0]);
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
}

/** Commander would take it for an argument of the default command. */
function refuseUnknownCommand(program: Command, first: string | undefined): void {
  if (first === undefined || first.startsWith('-')) return;
  const known = ['help', ...program.commands.map((command) => command.name())];
  if (known.includes(first)) return;
  const meant = nearestName(first, known);
  program.error(`error: unknown command '${first}'.${meant === null ? '' : ` Did you mean ${meant}?`}`);
}

/** That a switch is off unless it is given needs no words. */
function described({ description, defaultValue, argChoices }: Option): string {
  if (argChoices !== undefined) return `${description}: ${argChoices.join(', ')}`;
  return typeof defaultValue === 'number' ? `${description} (default: ${defaultValue})` : description;
}

type Done = (code: number) => void;
type Json = { json: boolean };

function createProgram(context: CliContext, done: Done): Command {
  const program = new Command('diun-pilot')
    .description(
      'Safe updates of self-hosted containers: Diun detects; diun-pilot backs up, updates, checks and rolls back.',
    )
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show this help, or that of a command')
    .configureHelp({ optionDescription: described })
    .addHelpText('after', SETTINGS_HELP)
    .showHelpAfterError('See diun-pilot --help.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  addService(program, context, done);
  addSuggest(program, context, done);
  addUpdates(program, context, done);
  addBackups(program, context, done);
  addRestore(program, context, done);
  addRecoveryKit(program, context, done);
  return program;
}

function addService(program: Command, context: CliContext, done: Done): void {
  command(program, 'serve', { isDefault: true })
    .summary('run the service (the default)')
    .description(
      'Runs the service: webhook, API, updates, mails, timers. Logs JSON lines; stops within 10 s of SIGTERM.',
    )
    .action(async (options: Json) => done(await serveCommand(context, options)));
  command(program, 'init')
    .option('--no-diun', 'without Diun: diun-pilot asks the registries itself')
    .summary('print a complete compose file with generated secrets')
    .description(
      'Prints a complete compose file for this host: diun-pilot, Diun, generated secrets, the group of the mounted Docker socket, the page on loopback. Reads no settings and writes no file.',
    )
    .action((options: Json & { diun: boolean }) => done(initCommand(context, options)));
  command(program, 'check')
    .summary('check the installation and show what is watched')
    .description(
      'Checks settings, Docker, backup storage, mail, database and labels; shows the policy of each container, where new tags would be written, the age of the last good backups, the days left of each certificate, the next runs, and the last notification from Diun. Changes nothing.',
    )
    .option('--notify', 'send a test notice to every channel of PILOT_NOTIFY_URL')
    .action(async (options: Json & { notify?: boolean }) => done(await checkCommand(context, options)));
}

function addSuggest(program: Command, context: CliContext, done: Done): void {
  command(program, 'suggest')
    .argument('[project]', 'only this compose project')
    .summary('print the labels to add to containers that are not watched')
    .description(
      'Prints the labels to paste for each container that is not watched: policy, probe and backup, with the reasons. Changes nothing.',
    )
    .action(async (project: string | undefined, options: Json) =>
      done(await suggestCommand(context, { project, ...options })),
    );
}

function addUpdates(program: Command, context: CliContext, done: Done): void {
  command(program, 'update')
    .argument('<container>', 'name of a watched container')
    .argument('[image]', "such as gitea/gitea:1.24.6; default: the image that the container's own tag names now")
    .summary('update a container now')
    .description(
      'Backs up, updates, checks, and rolls back if needed; shows each step. Your request counts as the approval, except for a new PostgreSQL major and an image that is not signed as required.',
    )
    .action(async (container: string, image: string | undefined, options: Json) =>
      done(await updateCommand(context, { container, image, ...options })),
    );
  command(program, 'approve')
    .argument('<id>', 'ID of a pending update: diun-pilot updates --status awaiting_approval')
    .summary('approve a pending update')
    .description('Approves a pending update and follows it to its end.')
    .action(async (id: string, options: Json) => done(await approveCommand(context, { id, ...options })));
  command(program, 'decline')
    .argument('<id>', 'ID of a pending update')
    .summary('decline a pending update')
    .description('Declines a pending update; the same digest is not offered again.')
    .action(async (id: string, options: Json) => done(await declineCommand(context, { id, ...options })));
  command(program, 'rehearse')
    .argument('<id>', 'ID of a pending update: diun-pilot updates --status awaiting_approval')
    .summary('try an update on a copy of the data')
    .description(
      'Restores a backup into throwaway containers without a network, starts the current version there and then the new one, and shows the verdict. Production is not touched. Exits with 0 only if it passed.',
    )
    .action(async (id: string, options: Json) => done(await rehearseCommand(context, { id, ...options })));
  command(program, 'updates')
    .summary('list updates, newest first')
    .description('Lists updates with their results, newest first.')
    .addOption(new Option('--status <status>', 'only those').choices(UPDATE_STATUSES))
    .option('--container <name>', 'only those of one container')
    .option('--limit <number>', 'how many', limit, 20)
    .action(async (options: UpdatesArguments) => done(await updatesCommand(context, options)));
}

function addBackups(program: Command, context: CliContext, done: Done): void {
  command(program, 'backup')
    .summary('take a backup now')
    .description('Takes a backup, reads it back to verify it, and shows how it ended.')
    .option('--project <name>', 'only this compose project, or this container if it is in none')
    .action(async (options: BackupArguments) => done(await backupCommand(context, options)));
  command(program, 'backups')
    .summary('list backups, newest first')
    .description('Lists backups and where they are, newest first.')
    .option('--limit <number>', 'how many', limit, 20)
    .action(async (options: Json & { limit: number }) => done(await backupsCommand(context, options)));
  command(program, 'audit')
    .summary('list who decided what, newest first')
    .description('Lists the audit trail: decisions, updates, restores, starts and failed logins.')
    .option('--verify', 'recompute every hash; exits with 0 only if the chain is unbroken', false)
    .option('--noted <hash>', 'verify, and find the record of a hash that you kept elsewhere')
    .option('--limit <number>', 'how many', limit, 50)
    .action(async (options: AuditArguments) => done(await auditCommand(context, options)));
  command(program, 'renew')
    .summary('renew certificates now')
    .description(
      'Starts certbot, loads what it renewed into the server, and shows the certificate that is served at the end.',
    )
    .action(async (options: Json) => done(await renewCommand(context, options)));
}

function addRestore(program: Command, context: CliContext, done: Done): void {
  command(program, 'restore')
    .argument('<backup>', 'ID of a backup, its address or folder in the storage, or latest')
    .option('--dry-run', 'show the plan and read the whole set; change nothing', false)
    .option('--project <name>', 'compose project to restore into, if it is not that of the set')
    .option('--trust', 'also restore a set that is not authenticated', false)
    .option('-y, --yes', 'do not ask', false)
    .summary('restore a backup')
    .description(
      'Reads the whole set, stops the containers that write to it, restores databases and files next to the current ones, swaps them, starts and checks all containers. Keeps the previous data. Needs only the storage, not a record of the backup.',
    )
    .action(async (backup: string, options: Omit<RestoreArguments, 'backup'>) =>
      done(await restoreCommand(context, { backup, ...options })),
    );
}

function command(program: Command, name: string, options: { isDefault?: boolean } = {}): Command {
  return program.command(name, options).option('--json', 'print JSON for machines', false);
}

function addRecoveryKit(program: Command, context: CliContext, done: Done): void {
  command(program, 'recovery-kit')
    .summary('print what a restore on an empty host needs')
    .description(
      'Prints one page: where the backups are, the secrets that a restore needs, and the commands for an empty host. Keep it away from this host. `check` warns until it was printed for the current secrets.',
    )
    .action(async (options: Json) => done(await recoveryKitCommand(context, options)));
}

function limit(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
  return Number(text);
}
