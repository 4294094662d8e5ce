import type { Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section } from '../letter/letter';
import type { FailureText } from './passages/failure-text';
import { nameOf } from './passages/passages';

export const isNeighbourDown = ({ error, status, steps }: Update): boolean =>
  error?.code === 'other_unhealthy' && status === 'rollback_failed' && steps.some(({ name }) => name === 'recreate');

/** The old container runs and is healthy, but another one that responded before the update does not, also after the rollback. */
export function neighbourDown(update: Update): FailureText {
  const name = nameOf(update);
  const { sentence, output } = splitDetail(update.error?.message ?? update.reason);
  return {
    subject: 'rolled back, another container does not respond – manual action required',
    tone: 'alarm',
    word: 'Rolled back, manual action required',
    heading: `${name} is running its old version again, but another container does not respond`,
    opening: [
      {
        type: 'important',
        text: `Manual action required: the unchanged old container of ${name} is running and healthy, but a container that responded before the update does not respond after the rollback either.`,
      },
      paragraph(sentence),
      ...machineSaid(output),
      ...section('Look first', { type: 'commands', lines: ['docker ps -a', 'docker logs --tail 100 NAME'] }),
      ...section('Then restart it', { type: 'commands', lines: ['docker restart NAME'] }),
    ],
    labels: { from: 'Runs again', to: 'Was to run' },
  };
}
