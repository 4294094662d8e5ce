import { plural } from '../../domain/format';
import type { ChannelNotice } from '../../domain/channel-notice';
import type { RenderedMail } from '../rendered-mail';
import { list, paragraph, section } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';

/** One line of the digest. `at`: when it happened, for people. */
export interface DigestItem {
  at: string;
  notice: Pick<ChannelNotice, 'title'>;
  /** A success with a manual step left: what is left. */
  left?: string | null;
}

/** Everything since the last digest that needed no decision and was no failure. Oldest first; at least one. */
export function digest(items: readonly DigestItem[], page: string): RenderedMail {
  const count = items.length === 1 ? '1 message' : `${items.length} messages`;
  const left = items.flatMap((item) => (item.left ? [`${item.notice.title}: ${item.left}`] : []));
  const mail = renderLetter({
    kind: 'digest',
    updateId: null,
    about: 'digest',
    subject: `${count}, ${left.length === 0 ? 'nothing to do' : `${plural(left.length, 'manual step')} left`}`,
    verdict: { tone: left.length === 0 ? 'good' : 'notice', word: 'Digest' },
    heading: `${count} since the last digest`,
    blocks: [
      paragraph(
        `${left.length === 0 ? 'There is nothing to do. ' : ''}Decisions and failures are mailed at once and are not repeated here.`,
      ),
      ...section('What to do now', list(left)),
      ...section('What happened', list(items.map(({ at, notice }) => `${at}: ${notice.title}`))),
    ],
    page,
    onOperatorPage: true,
  });
  return { ...mail, notice: null };
}
