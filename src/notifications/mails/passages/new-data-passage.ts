import { newDataSentence, type NewData } from '../../../domain/data/new-data';
import type { Update } from '../../../domain/update';
import { paragraph, section, type Block, shellCommand } from '../../letter/letter';

/** Applications may have written to the new major before it was rolled back. */
export function newDataPassage(update: Update, newData: NewData): Block[] {
  const { container, path, to } = newData;
  const image = `${update.to.reference}${update.to.digest === null ? '' : `@${update.to.digest}`}`;
  const server = `${container}.postgres-${to}`;
  const run = ['docker', 'run', '-d', '--name', server, '--network', 'none', '--volumes-from', container];
  return [
    {
      type: 'important',
      text: `Decision required: ${newDataSentence(newData)}`,
    },
    ...section(
      'How to read the data written since the load',
      paragraph(
        `The first command starts PostgreSQL ${to} on that data directory, without a network. Read what you need with psql or pg_dump, then remove the container.`,
      ),
      {
        type: 'commands',
        lines: [
          shellCommand(...run, '-e', `PGDATA=${path}`, image),
          shellCommand('docker', 'exec', '-it', server, 'psql', '-U', 'USER', 'DATABASE'),
          shellCommand('docker', 'rm', '-f', '-v', server),
        ],
      },
    ),
  ];
}
