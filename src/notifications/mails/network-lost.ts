import { paragraph, section, type Block } from '../letter/letter';
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
  /** A restart would join it, and goes on being tried; else only a person can. */
  triesAgain: boolean;
  publicUrl: string;
}

/** A container runs where nobody reaches it, and it could not be joined to its network again. */
export function networkLost(news: NetworkLostNews): RenderedMail {
  const { container, words, triesAgain, publicUrl } = news;
  const until = triesAgain
    ? 'it has joined its network again. diun-pilot goes on trying, and its page tells when it has.'
    : 'a person joins it to its network again.';
  return renderLetter({
    kind: 'network_lost',
    updateId: null,
    about: container,
    subject: 'cannot be reached, its network is lost, act now',
    verdict: { tone: 'alarm', word: 'Not reachable, act now' },
    heading: `${container} has lost its network`,
    blocks: [
      { type: 'important', text: `Nobody reaches ${container} until ${until}` },
      paragraph(words),
      ...section('Bring it back', ...howToJoin(news)),
    ],
    ...operatorSection(publicUrl, 'incidents'),
  });
}

function howToJoin({ container, service, triesAgain }: NetworkLostNews): Block[] {
  const anew = paragraph('Create it anew with the network of the container that owns the ports now.');
  if (service === null && !triesAgain) return [anew];
  if (service === null) return [{ type: 'commands', lines: [shellCommand('docker', 'restart', container)] }];
  return [
    { type: 'commands', lines: [shellCommand('docker', 'compose', 'up', '-d', service)] },
    paragraph('Run it in the folder of the compose file: Compose creates it anew in the network that is there now.'),
  ];
}
