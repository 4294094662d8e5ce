import type { JSX } from 'preact';
import { flagsOf } from '../../../domain/notes/flags';
import { FLAG_WORDS, type FlaggedWords, type Release } from '../../../domain/notes/release-notes';
import type { Update } from '../../../domain/update';
import { oneLine, webUrl } from '../../../notifications/letter/clean';
import { notesSentence } from '../../../notifications/mails/passages/surroundings';
import { renderMarkdown } from './render-markdown';

/** The release notes between the two versions: what was marked, the link, and each release to open. Null: no source is known. */
export function ReleaseNotes({
  update,
  releases = [],
}: {
  update: Update;
  releases: readonly Release[] | undefined;
}): JSX.Element | null {
  const { notes = null } = update;
  if (notes === null) return null;
  const sentence = notesSentence(notes);
  const found = flagsOf(releases);
  return (
    <section aria-labelledby="release-notes">
      <h2 id="release-notes">Release notes</h2>
      {sentence === '' ? null : <p>{oneLine(sentence)}</p>}
      <p>
        Written by the project of the image: <ProjectLink address={notes.url} words={notes.url} />
      </p>
      {found.length === 0 ? null : (
        <ul>
          {found.map(({ flag, tag, words }) => (
            <li>
              <span class="flag">{flag}</span> {oneLine(tag)} mentions {FLAG_WORDS[flag]}: “{oneLine(words)}”
            </li>
          ))}
        </ul>
      )}
      {releases.map((release) => (
        <ReleaseText release={release} found={found} />
      ))}
    </section>
  );
}

function ReleaseText({ release, found }: { release: Release; found: readonly FlaggedWords[] }): JSX.Element {
  const { tag, name, url, text } = release;
  const flags = found.filter((each) => each.tag === tag);
  return (
    <details class="release" open={flags.length > 0}>
      <summary>
        {oneLine(name === '' || name === tag ? tag : `${tag} – ${name}`)}{' '}
        {flags.map(({ flag }) => (
          <span class="flag">{flag}</span>
        ))}
      </summary>
      {url === null ? null : (
        <p class="alone">
          <ProjectLink address={url} words={`${tag} at its project`} />
        </p>
      )}
      {text.trim() === '' ? (
        <p>This release has no text.</p>
      ) : (
        <div class="notes" dangerouslySetInnerHTML={{ __html: renderMarkdown(text) }} />
      )}
    </details>
  );
}

function ProjectLink({ address, words }: { address: string; words: string }): JSX.Element | null {
  const href = webUrl(address);
  if (href === null) return null;
  return (
    <a href={href} rel="noopener noreferrer nofollow">
      {oneLine(words)}
    </a>
  );
}
