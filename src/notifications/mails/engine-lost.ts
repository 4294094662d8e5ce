import { machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { formatTime } from '../../domain/format';
import type { RenderedMail } from '../rendered-mail';
import { operatorSection } from './passages/passages';

interface EngineLostNews {
  /** ISO 8601. */
  since: string;
  /** The error of the last call. */
  reason: string;
  /** diun-pilot ends now, and its restart policy starts it again. */
  ends: boolean;
  /** It runs in a container with a mounted socket. */
  inContainer: boolean;
  publicUrl: string;
}

/** No engine has answered for five minutes. Sent once for each outage. */
export function engineLost({ since, reason, ends, inContainer, publicUrl }: EngineLostNews): RenderedMail {
  return renderLetter({
    kind: 'engine_lost',
    updateId: null,
    about: 'Docker',
    subject: `UNREACHABLE for 5 minutes – ${ends ? 'diun-pilot restarts' : 'manual action required'}`,
    verdict: { tone: ends ? 'attention' : 'alarm', word: ends ? 'Unreachable' : 'Unreachable, manual action required' },
    heading: 'The Docker Engine does not answer',
    blocks: [
      paragraph(
        `Docker has not answered since ${formatTime(since)}. Until it answers, nothing is updated, backed up or renewed. An update that was running continues afterwards.`,
      ),
      ...machineSaid([reason]),
      ...section('What diun-pilot does', paragraph(ends ? RESTARTS : WAITS)),
      ...section('What to do now', ...howToCheckEngine(ends, inContainer)),
    ],
    ...operatorSection(publicUrl, 'timers'),
  });
}

const RESTARTS =
  'diun-pilot exits now, so that its restart policy starts it with the new socket. A socket that is mounted as a file no longer works after Docker re-created it, for example with live-restore. Webhooks that were accepted are kept.';
const WAITS = 'diun-pilot keeps running, accepts webhooks and tries to reach Docker every 30 seconds.';

function howToCheckEngine(ends: boolean, inContainer: boolean): Block[] {
  const look: Block = { type: 'commands', lines: ['systemctl status docker', 'docker ps'] };
  if (ends)
    return [paragraph('Nothing, if diun-pilot is running again soon. Otherwise check Docker on the host:'), look];
  const host = paragraph('Check Docker on the host:');
  if (!inContainer)
    return [host, look, paragraph('If Docker works there, check DOCKER_HOST, and restart the proxy of its socket.')];
  return [
    host,
    look,
    paragraph(
      'If Docker works there, the container of diun-pilot has an outdated socket. Restart that container. With a restart policy, diun-pilot restarts on its own.',
    ),
  ];
}
