import type { Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { paragraph, section } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import type { FailureText } from './failure-text';
import { nameOf } from './passages';

export const isIllAsBefore = ({ error, status }: Update): boolean =>
  error?.code === 'unhealthy_as_before' && status === 'rollback_failed';

/** Its health check failed before the update too, so it tells nothing: neither that the service is down nor that it serves. */
export function illAsBefore(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update and rollback failed, and so did its health check before, look at it',
    tone: 'alarm',
    word: 'Not healthy, as before',
    heading: `${name} fails its health check with its old version, as it did before the update`,
    opening: [
      {
        type: 'important',
        text: `The old container is started again, untouched, but whether ${name} serves nothing can tell: it needs a person.`,
      },
      paragraph(splitDetail(update.error?.message ?? update.reason).sentence),
      ...section(
        'If it serves as before',
        paragraph(
          'Its health check is what is wrong: mend its label update.probe (or its HEALTHCHECK), let Compose create it anew, and ask whether it passes now:',
        ),
        { type: 'commands', lines: ['docker compose up -d', shellCommand('diun-pilot', 'check')] },
      ),
      ...section('If it does not', {
        type: 'commands',
        lines: [
          shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
          shellCommand('docker', 'logs', '--tail', '100', name),
        ],
      }),
      paragraph(
        `It was ill before the update already, so that its cause may be another. A container named ${name}.diun-pilot-… is one that this update has set aside.`,
      ),
    ],
    labels: { from: 'Runs again', to: 'Was to run' },
  };
}
