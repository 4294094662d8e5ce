import { important, paragraph, section, shellCommand, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import { operatorSection } from './passages/passages';

interface NetworkLostNews {
  container: string;
  /** Compose's service; null outside Compose. */
  service: string | null;
  /** What was found, and why diun-pilot cannot repair it. */
  words: string;
  /** A restart would re-attach it and is retried; otherwise manual action is required. */
  triesAgain: boolean;
  publicUrl: string;
}

/** A container is running but unreachable, and could not be re-attached to its network. */
export function networkLost(news: NetworkLostNews): RenderedMail {
  const { container, words, triesAgain, publicUrl } = news;
  const until = triesAgain
    ? 'it is re-attached to its network. diun-pilot keeps trying; the operator page shows the result.'
    : 'you re-attach it to its network.';
  const next = triesAgain ? 'diun-pilot keeps trying' : 'manual action required';
  return renderLetter({
    kind: 'network_lost',
    updateId: null,
    about: container,
    subject: `UNREACHABLE, its network is lost – ${next}`,
    verdict: { tone: 'alarm', word: `Unreachable, ${next}` },
    heading: `${container} has lost its network`,
    blocks: [
      important(`${container} is unreachable until ${until}`),
      paragraph(words),
      ...section('Bring it back', ...howToReattach(news)),
    ],
    ...operatorSection(publicUrl, 'incidents'),
  });
}

function howToReattach({ container, service, triesAgain }: NetworkLostNews): Block[] {
  const recreate = paragraph(`Re-create ${container} so that it joins the current network.`);
  if (service === null && !triesAgain) return [recreate];
  if (service === null) return [{ type: 'commands', lines: [shellCommand('docker', 'restart', container)] }];
  return [
    { type: 'commands', lines: [shellCommand('docker', 'compose', 'up', '-d', service)] },
    paragraph(
      'Run this command in the folder of the compose file: Compose re-creates the container in the current network.',
    ),
  ];
}
