import type { ErrorCode } from '../../domain/errors';
import { messagePage } from './message-page';

interface ErrorShown {
  status: number;
  code: ErrorCode;
  message: string;
  /** `/` leads this reader to the operator page. */
  leadsHome: boolean;
}

/** An error of an API, for who reads it in a browser. */
export function errorPage({ status, code, message, leadsHome }: ErrorShown): string {
  return messagePage({
    tone: status >= 500 ? 'alarm' : 'attention',
    word: String(status),
    heading: HEADINGS[code] ?? (status >= 500 ? 'diun-pilot could not do this' : 'This was not done'),
    sentences: [SENTENCES[code] ?? message],
    ...(leadsHome ? { link: { href: '/', text: 'To the page of diun-pilot' } } : {}),
  });
}

/** What an API is told by a route, a person is told otherwise. */
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  update_not_found:
    'No update has this id: see that the address is whole. The history of the operator page has them all.',
};

const HEADINGS: Partial<Record<ErrorCode, string>> = {
  not_found: 'Nothing is here',
  update_not_found: 'There is no such update',
  unauthorized: 'A password is needed',
  too_many_requests: 'Too many requests',
  cross_site: 'This came from another site',
  form_expired: 'This page is too old',
};
