import type { Update } from '../../domain/update';
import { paragraph, section } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import type { FailureText } from './passages/failure-text';
import { nameOf } from './passages/passages';

export const isChangedByOthers = ({ error, status }: Update): boolean =>
  error?.code === 'changed_meanwhile' && (status === 'failed' || status === 'rollback_failed');

/** The current container is the result of an external change and stays as it is: only the operator knows whether that is intended. */
export function changedByOthers(update: Update): FailureText {
  const name = nameOf(update);
  const started = update.status === 'rollback_failed';
  return {
    subject: `update ${started ? 'aborted' : 'not started'}, container was changed externally – please check`,
    tone: started ? 'alarm' : 'attention',
    word: started ? 'Aborted, please check' : 'Not started',
    heading: `${name} was changed externally while its update ran`,
    opening: [
      ...(started
        ? [{ type: 'important' as const, text: `diun-pilot cannot verify whether ${name} works. Please check it.` }]
        : []),
      paragraph(
        'Possible causes: docker compose up, docker rm, or another diun-pilot. This update did not touch the result of that change.',
      ),
      ...(started ? [] : [paragraph('diun-pilot changed nothing and removed what it had prepared for the update.')]),
      ...section('Check it', {
        type: 'commands',
        lines: [
          shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
          shellCommand('docker', 'logs', '--tail', '100', name),
        ],
      }),
      ...(started
        ? [
            paragraph(
              `A container named ${name}.diun-pilot-… was renamed by this update. One named with digits and ${name} was left by an interrupted docker compose up. If no container named ${name} is running, create it:`,
            ),
            {
              type: 'commands' as const,
              lines: [shellCommand('docker', 'compose', 'up', '-d', update.service ?? name)],
            },
          ]
        : []),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}
