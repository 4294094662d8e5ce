import type { RenderedMail } from '../rendered-mail';
import { subjectLine } from './clean';
import { html } from './html';
import type { Letter } from './letter';
import { noticeOfLetter } from './notice-of-letter';
import { plainText } from './plain-text';

export function renderLetter(letter: Letter): RenderedMail {
  const subject = subjectLine(letter.about, letter.subject);
  return {
    kind: letter.kind,
    updateId: letter.updateId,
    subject,
    html: html(letter, subject),
    text: plainText(letter),
    notice: noticeOfLetter(letter),
  };
}
