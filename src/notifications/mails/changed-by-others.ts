import type { Update } from '../../domain/update';
import { paragraph, section } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import type { FailureText } from './failure-text';
import { nameOf } from './passages';

export const isChangedByOthers = ({ error, status }: Update): boolean =>
  error?.code === 'changed_meanwhile' && (status === 'failed' || status === 'rollback_failed');

/** What is there now is theirs, and was left alone: nobody but a person knows whether it is meant so. */
export function changedByOthers(update: Update): FailureText {
  const name = nameOf(update);
  const begun = update.status === 'rollback_failed';
  return {
    subject: `update ${begun ? 'broken off' : 'not made'}, somebody else changed the container, look at it`,
    tone: begun ? 'alarm' : 'attention',
    word: begun ? 'Broken off, look at it' : 'Not made',
    heading: `Somebody else changed ${name} while its update ran`,
    opening: [
      ...(begun ? [{ type: 'important' as const, text: `diun-pilot cannot tell whether ${name} serves.` }] : []),
      paragraph(
        'A docker compose up, a docker rm or another diun-pilot, for example. What it left there was not touched by this update any more.',
      ),
      ...(begun
        ? []
        : [paragraph('Nothing was changed by diun-pilot; what was made ready for the update is removed.')]),
      ...section('Look at it', {
        type: 'commands',
        lines: [
          shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
          shellCommand('docker', 'logs', '--tail', '100', name),
        ],
      }),
      ...(begun
        ? [
            paragraph(
              `A container named ${name}.diun-pilot-… is one that this update has set aside, one named by digits and ${name} is what a docker compose up could not end. If none runs by the name itself, let Compose make it:`,
            ),
            {
              type: 'commands' as const,
              lines: [shellCommand('docker', 'compose', 'up', '-d', update.service ?? name)],
            },
          ]
        : []),
    ],
    labels: { from: 'Ran before', to: 'Was to run' },
  };
}
