import { formatTime } from '../../domain/format';
import type { BackupRecord } from '../../domain/backups/backup';
import { offeredData, type Soak, type SoakData } from '../../domain/soak/soak';
import { lossText, soakFailureText } from './passages/soak-words';
import { splitDetail } from '../letter/clean';
import { list, machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import { backupPassage, nameOf, versions, type UpdateNews } from './passages/passages';

export interface SoakNews extends UpdateNews {
  soak: Soak;
  /** The signed link on which the operator decides. */
  decideUrl: string;
  now: Date;
}

/** The new version failed after success, and only the operator may decide what becomes of its data. */
export function soakFailed(news: SoakNews): RenderedMail {
  const { update, soak, decideUrl } = news;
  const name = nameOf(update);
  const { output } = splitDetail(soak.failure ?? '');
  return renderLetter({
    kind: 'soak_failed',
    updateId: update.id,
    about: name,
    subject: 'unhealthy after its update – decide whether the old version runs again',
    verdict: { tone: 'alarm', word: 'Unhealthy after the update' },
    heading: `${name} failed during its soak`,
    blocks: [
      { type: 'important', text: `Decision required: ${soakFailureText(soak)}` },
      paragraph(whyNotAutomatic(soak, name)),
      ...choices(news),
      { type: 'link', label: 'Review and decide', url: decideUrl, button: true },
      paragraph(
        `Opening the link changes nothing. It is valid until ${formatTime(soak.decideUntil ?? soak.until)}; until then the old container is kept, stopped.`,
      ),
      ...(output.length === 0 ? [] : section('What its log says', ...machineSaid(output))),
      versions(news, { from: 'Kept, stopped', to: 'New version' }),
      ...backupPassage(news),
    ],
    page: news.page,
  });
}

function whyNotAutomatic({ holdsData }: Soak, name: string): string {
  return holdsData
    ? `${name} holds data, so diun-pilot does not roll it back automatically.`
    : `${name} may have been stopped on request, so diun-pilot does not roll it back automatically.`;
}

const NOTHING_OFFERED = 'No verified backup from before the update is left, so the old version cannot be offered.';

function choices({ soak, backup, now }: SoakNews): Block[] {
  const offered = offeredData(soak, backup);
  return section(
    'What the page offers',
    soak.schemaDetail === null ? null : paragraph(soak.schemaDetail),
    list(offered.map((data) => choiceText(data, backup, now))) ?? paragraph(NOTHING_OFFERED),
  );
}

function choiceText(data: SoakData, backup: BackupRecord | null, now: Date): string {
  if (data === 'current') return 'The old version with the current data: no data is lost.';
  return `The old version with the backup from before the update. ${lossText(backup, now)}`;
}
