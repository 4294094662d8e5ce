import type { ChannelNotice } from '../../domain/channel-notice';
import type { RenderedMail } from '../rendered-mail';
import { list, paragraph, section } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';

/** One line of the digest. `at`: when it happened, for people. */
export interface DigestItem {
  at: string;
  notice: Pick<ChannelNotice, 'title'>;
}

/** Everything since the last digest that needed no decision and was no failure. Oldest first; at least one. */
export function digest(items: readonly DigestItem[], page: string): RenderedMail {
  const count = items.length === 1 ? '1 message' : `${items.length} messages`;
  const mail = renderLetter({
    kind: 'digest',
    updateId: null,
    about: 'digest',
    subject: `${count}, nothing to do`,
    verdict: { tone: 'good', word: 'Digest' },
    heading: `${count} since the last digest`,
    blocks: [
      paragraph('There is nothing to do. Decisions and failures are mailed at once and are not repeated here.'),
      ...section('What happened', list(items.map(({ at, notice }) => `${at}: ${notice.title}`))),
    ],
    page,
    onOperatorPage: true,
  });
  return { ...mail, notice: null };
}
