import { important, machineSaid, paragraph, section, shellCommand, type Block } from '../letter/letter';
import type { Update } from '../../domain/update';
import { changedAndNotRestored, dataChangeBlocks } from './data-changed';
import { titleOf, type FailureText, type Seen } from './failure-text';
import { errorOf, LOOK_AT_ANY, lookAtContainer, lookAtService, nameOf } from './passages/passages';

/** It was refused before the image was pulled. */
export function isWrongSignature({ status, error }: Update): boolean {
  return status === 'failed' && error?.code === 'signature_invalid';
}

export function wrongSignature(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update refused, wrong signature – find out who published the image',
    tone: 'alarm',
    word: 'Refused, wrong signature',
    heading: `The update of ${name} was refused: the image is not signed as required`,
    opening: [
      paragraph(`${name} runs its old version as before, and the new image was not pulled.`),
      paragraph(
        'The image may have been replaced by someone who has access to the registry, but not to the signing key. Ask the publisher of the image whether this digest is theirs. If it is theirs and the signing key was replaced, correct update.verify and request the update again. If it is not theirs, do not run the image.',
      ),
    ],
    labels: { from: 'Still running', to: 'Refused version' },
  };
}

export const isNeighbourDown = ({ error, status }: Update): boolean =>
  error?.code === 'other_unhealthy' && status === 'rollback_failed';

/** The old container runs and is healthy, but another one that responded before the update does not, also after the rollback. */
export function neighbourDown(update: Update, _backup: unknown, { dataChange }: Seen): FailureText {
  const name = nameOf(update);
  const { sentence, output } = errorOf(update);
  return {
    subject: 'rolled back, another container does not respond – manual action required',
    tone: 'alarm',
    word: 'Rolled back, manual action required',
    heading: `${name} is running its old version again, but another container does not respond`,
    opening: [
      important(
        `Manual action required: another container, which worked before the update, does not respond now. The unchanged old container of ${name} is running and healthy.`,
      ),
      paragraph(sentence),
      ...machineSaid(output),
      ...changedAndNotRestored(update, dataChange),
      ...section('Look at it first', LOOK_AT_ANY),
      ...section('Then restart it', { type: 'commands', lines: ['docker restart NAME'] }),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

export const isChangedByOthers = ({ error, status }: Update): boolean =>
  error?.code === 'changed_meanwhile' && (status === 'failed' || status === 'rollback_failed');

/** The current container is the result of an external change and stays as it is: only the operator knows whether that is intended. */
export function changedByOthers(
  update: Update,
  _backup: unknown,
  { broughtBack: back, dataChange }: Seen,
): FailureText {
  const name = nameOf(update);
  const started = update.status === 'rollback_failed';
  const isDown = back === 'none runs';
  return {
    subject: isDown
      ? 'DOWN, container was removed or stopped externally – manual action required'
      : 'update aborted, container was changed externally – please check',
    tone: started || isDown ? 'alarm' : 'attention',
    word: isDown ? 'Down, manual action required' : started ? 'Aborted, please check' : 'Aborted',
    heading: `${name} was changed externally while its update ran`,
    opening: [
      ...warning(name, { started, isDown }),
      ...(back === null ? [] : [paragraph(errorOf(update).sentence)]),
      paragraph(`${CAUSES}${back === null ? ' diun-pilot left the result of that change as it is.' : ''}`),
      ...(started || back !== null ? [] : [paragraph(NOTHING_LEFT)]),
      ...dataChangeBlocks(dataChange),
      ...section('Check it', lookAtContainer(name)),
      ...(started || isDown
        ? [
            paragraph(
              `If a container named ${name}.diun-pilot-… exists, this update renamed it. An interrupted docker compose up leaves names such as 1a2b3c_${name}. If no container named ${name} is running, create it:`,
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

const CAUSES = 'Possible causes: docker compose up, docker rm, or another diun-pilot.';
const NOTHING_LEFT = 'diun-pilot changed nothing and removed what it had prepared for the update.';

function warning(name: string, { started, isDown }: { started: boolean; isDown: boolean }): Block[] {
  if (isDown) return [important(`Manual action required: no container named ${name} is running.`)];
  if (!started) return [];
  return [important(`diun-pilot cannot verify whether ${name} works. Please check it.`)];
}

export const isUnhealthyAsBefore = ({ error, status }: Update): boolean =>
  error?.code === 'unhealthy_as_before' && status === 'rollback_failed';

/** The health check failed before the update too, so it proves neither that the old version is down nor that it works. */
export function unhealthyAsBefore(update: Update, _backup: unknown, { dataChange }: Seen): FailureText {
  const { state, remedy, look, renamed } = wordsOn(update);
  return {
    subject: 'rolled back, its health check fails as before the update – please check',
    tone: 'alarm',
    word: 'Unhealthy, as before',
    heading: `${titleOf(update)} is running its old version again and fails its health check, as before the update`,
    opening: [
      important(state),
      paragraph(errorOf(update).sentence),
      ...changedAndNotRestored(update, dataChange),
      ...section(`If ${nameOf(update)} works`, ...remedy),
      ...section(`If ${nameOf(update)} does not work`, look),
      paragraph(
        `${nameOf(update)} was already unhealthy before the update, so the update may not be the cause.${renamed}`,
      ),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function wordsOn(update: Update): { state: string; remedy: Block[]; look: Block; renamed: string } {
  const name = nameOf(update);
  if (update.kind === 'service') {
    const fix =
      'The health check is wrong. Fix the label update.probe (or the healthcheck) in the stack file, and deploy it.';
    return {
      state: `The tasks of ${name} run the old version again, but diun-pilot cannot verify whether it works. Please check it.`,
      ...{ remedy: [paragraph(fix)], look: lookAtService(name), renamed: '' },
    };
  }
  const fix =
    'The health check is wrong. Fix the label update.probe (or the HEALTHCHECK), re-create the container, and verify:';
  const lines = ['docker compose up -d', shellCommand('diun-pilot', 'check')];
  return {
    state: `The unchanged old container is running again, but diun-pilot cannot verify whether ${name} works. Please check it.`,
    ...{ remedy: [paragraph(fix), { type: 'commands', lines }], look: lookAtContainer(name) },
    renamed: ` If a container named ${name}.diun-pilot-… exists, this update renamed it.`,
  };
}
