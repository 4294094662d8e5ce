import type { Update } from '../../domain/update';
import { paragraph } from '../letter/letter';
import type { FailureText } from './passages/failure-text';
import { nameOf } from './passages/passages';

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
        'The image may have been replaced by someone who has access to the registry, but not to the signing key. Ask its publisher. If the publisher has a new key, correct update.verify, then request the update.',
      ),
    ],
    labels: { from: 'Still running', to: 'Refused version' },
  };
}
