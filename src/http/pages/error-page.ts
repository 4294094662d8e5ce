import type { ErrorCode } from '../../domain/errors';
import { messagePage } from './message-page';

interface ErrorShown {
  status: number;
  code: ErrorCode;
  message: string;
  /** `/` is the operator page for this reader. */
  leadsHome: boolean;
}

/** An error of the API, shown in a browser. */
export function errorPage({ status, code, message, leadsHome }: ErrorShown): string {
  return messagePage({
    tone: status >= 500 ? 'alarm' : 'attention',
    word: String(status),
    heading: HEADINGS[code] ?? (status >= 500 ? 'diun-pilot could not do this' : 'This was not done'),
    sentences: [SENTENCES[code] ?? message],
    ...(leadsHome ? { link: { href: '/', text: 'To the operator page' } } : {}),
  });
}

/** Errors that a browser shows with another sentence than the API. */
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  update_not_found:
    'No update has this id: check that the address is complete. The history on the operator page has all updates.',
};

const HEADINGS: Partial<Record<ErrorCode, string>> = {
  not_found: 'Nothing is here',
  update_not_found: 'There is no such update',
  unauthorized: 'A password is needed',
  too_many_requests: 'Too many requests',
  cross_site: 'This came from another site',
  person_not_trusted: 'Unknown proxy',
  form_expired: 'This page is too old',
};
