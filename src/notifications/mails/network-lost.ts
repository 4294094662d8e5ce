import { paragraph, section } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { shellCommand } from '../letter/shell';
import type { RenderedMail } from '../rendered-mail';
import { operatorSection } from './passages';

export interface NetworkLostNews {
  container: string;
  /** Compose's service; null outside Compose. */
  service: string | null;
  /** What was found, and why it is not mended by itself. */
  words: string;
  publicUrl: string;
}

/** A container runs where nobody reaches it, and only a person can join it to its network again. */
export function networkLost({ container, service, words, publicUrl }: NetworkLostNews): RenderedMail {
  const mend =
    service === null
      ? shellCommand('docker', 'restart', container)
      : shellCommand('docker', 'compose', 'up', '-d', service);
  return renderLetter({
    kind: 'network_lost',
    updateId: null,
    about: container,
    subject: 'cannot be reached, its network is lost, act now',
    verdict: { tone: 'alarm', word: 'Not reachable, act now' },
    heading: `${container} has lost its network`,
    blocks: [
      { type: 'important', text: `Nobody reaches ${container} until a person joins it to its network again.` },
      paragraph(words),
      ...section('Bring it back', { type: 'commands', lines: [mend] }),
      ...(service === null
        ? [paragraph('If that fails, create it anew with the network of the container that owns the ports now.')]
        : [
            paragraph(
              'Run it in the folder of the compose file: Compose creates it anew in the network that is there now.',
            ),
          ]),
    ],
    ...operatorSection(publicUrl, 'incidents'),
  });
}
