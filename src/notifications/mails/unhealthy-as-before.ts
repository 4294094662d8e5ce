import type { Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { paragraph, section } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import type { FailureText } from './passages/failure-text';
import { nameOf } from './passages/passages';

export const isUnhealthyAsBefore = ({ error, status }: Update): boolean =>
  error?.code === 'unhealthy_as_before' && status === 'rollback_failed';

/** The health check failed before the update too, so it proves neither that the service is down nor that it works. */
export function unhealthyAsBefore(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update and rollback failed, health check was already failing – please check',
    tone: 'alarm',
    word: 'Unhealthy, as before',
    heading: `${name} fails its health check with its old version, as it did before the update`,
    opening: [
      {
        type: 'important',
        text: `The unchanged old container is running again, but diun-pilot cannot tell whether ${name} works. Please check it.`,
      },
      paragraph(splitDetail(update.error?.message ?? update.reason).sentence),
      ...section(
        'If it works',
        paragraph(
          'The health check is wrong. Fix the label update.probe (or the HEALTHCHECK), re-create the container, and verify:',
        ),
        { type: 'commands', lines: ['docker compose up -d', shellCommand('diun-pilot', 'check')] },
      ),
      ...section('If it does not work', {
        type: 'commands',
        lines: [
          shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
          shellCommand('docker', 'logs', '--tail', '100', name),
        ],
      }),
      paragraph(
        `It was already unhealthy before the update, so the cause may be unrelated. A container named ${name}.diun-pilot-… was renamed by this update.`,
      ),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}
