import { MailError } from '../../src/domain/errors';
import type { Mail } from '../../src/ports/mail-transport';

/** With everything that a careless transport breaks: umlauts, long lines, a line of one dot, quotes. */
export function aMail(differs: Partial<Mail> = {}): Mail {
  return {
    id: '01KAT3W8P4Q2V5X7Z9B1D3F5H7',
    from: 'diun-pilot <pilot@example.org>',
    to: ['ops@example.org'],
    subject: '[diun-pilot] nginx: Prüfung „gut“ — ✓',
    html: `<!doctype html><p>Größe &amp; “Text” ${'x'.repeat(1500)}</p>`,
    text: `Größe & “Text”\n.\n..\n=20 ${'y'.repeat(1500)}\n`,
    date: '2026-11-23T03:00:10.000Z',
    ...differs,
  };
}

/** What a transport rejects with, which must be a `MailError`. */
export async function failureOf(sending: Promise<void>): Promise<MailError> {
  const error: unknown = await sending.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MailError);
  return error as MailError;
}
