import type { App } from '../app';
import type { Container } from '../domain/container';
import { whyNotAllowed } from '../domain/notes/hosts';
import { readSource } from '../domain/notes/source';
import type { Finding } from './findings';

/** Containers whose release notes cannot be read, and tokens for hosts that are never asked. Asks nothing. */
export function notesFindings(
  { settings: { notes } }: Pick<App, 'settings'>,
  containers: readonly Container[],
): Finding[] {
  const what = 'Release notes';
  const watched = containers.filter(({ labels }) => labels.watched && labels.policy !== 'ignore');
  const found = watched.flatMap((container): Finding[] => {
    const why = whyUnread(container, notes.hosts);
    return why === null ? [] : [{ what, status: 'warning', words: `${container.name}: ${why}` }];
  });
  const unused = [...notes.tokens.keys()].filter((host) => {
    const url = new URL(`https://${host}/`);
    return whyNotAllowed(url, notes.hosts) !== null;
  });
  return [
    ...found,
    ...unused.map((host): Finding => ({
      what,
      status: 'warning',
      words: `PILOT_NOTES_TOKENS has a token for ${host}, which is never asked: list it in PILOT_NOTES_HOSTS`,
    })),
  ];
}

function whyUnread({ labels, origin }: Container, hosts: App['settings']['notes']['hosts']): string | null {
  const asks =
    (labels.askOn ?? []).length > 0 ? ' Until then update.ask-on asks about every update with a new version.' : '';
  const text = labels.notes ?? (labels.notes === null ? null : (origin?.source ?? null));
  const source = text === null ? null : readSource(text);
  if (source === null) {
    // Without update.ask-on nothing is missing: many images have no source.
    return asks === '' || labels.notes === null
      ? null
      : `no source of release notes is known: set update.notes.${asks}`;
  }
  const [first] = source.asked;
  if (first === undefined)
    return `${source.url} is not the address of a repository or a changelog: set update.notes.${asks}`;
  const refusal = whyNotAllowed(new URL(first.api), hosts);
  return refusal === null ? null : `${refusal}${asks}`;
}
