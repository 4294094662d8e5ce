import type { ComponentChildren, JSX } from 'preact';
import { render } from 'preact-render-to-string';
import { localTimeZone } from '../../domain/format';
import { HOW_TO_ACT, OBSERVES } from '../../domain/mode';
import { oneLine } from '../../notifications/letter/clean';
import { LIVE_SCRIPT, PAGE_CSS } from './send-page';

export interface PageProps {
  title: string;
  children: ComponentChildren;
  /** Follows the update by script; without script the page reloads every five seconds. */
  live?: boolean;
  /** Wide: for tables. */
  wide?: boolean;
  /** The part above the heading. */
  header?: ComponentChildren;
}

/** One language, one column, landmarks, no images; nothing is fetched. */
export function page(props: PageProps): string {
  return `<!doctype html>${render(<Page {...props} />)}`;
}

function Page({ title, children, live, wide, header }: PageProps): JSX.Element {
  return (
    <html lang="en" data-time-zone={localTimeZone()}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{oneLine(`${title} – diun-pilot`)}</title>
        <style dangerouslySetInnerHTML={{ __html: PAGE_CSS }} />
        {live === true ? <WithoutScript /> : null}
      </head>
      <body class={wide === true ? 'wide' : undefined}>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <header>
          <p class="brand">diun-pilot</p>
          {header}
        </header>
        <main id="content">{children}</main>
        {live === true ? <script dangerouslySetInnerHTML={{ __html: LIVE_SCRIPT }} /> : null}
      </body>
    </html>
  );
}

function WithoutScript(): JSX.Element {
  return (
    <noscript>
      <meta http-equiv="refresh" content="5" />
    </noscript>
  );
}

/** Above everything that a button would start. */
export function Observes(): JSX.Element {
  return (
    <div class="notice attention">
      <p>
        <strong>{OBSERVES}</strong> It decides, backs up and reports. It refuses approvals, requested updates, restores
        and renewals. {HOW_TO_ACT}
      </p>
    </div>
  );
}

interface NameFieldProps {
  container: string;
  to: string;
  wrong: boolean;
  /** Left out: true. False: only the server knows whether the chosen answer needs it. */
  required?: boolean;
}

/** The container's name must be typed before anything is done to a container that holds data. */
export function NameField({ container, to, wrong, required = true }: NameFieldProps): JSX.Element {
  return (
    <p>
      <label for="name">
        It holds data. To {to}, type its name: <strong>{oneLine(container)}</strong>
      </label>
      <input
        id="name"
        name="name"
        type="text"
        required={required}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={wrong ? 'true' : undefined}
      />
    </p>
  );
}

/** The answer to a wrong name in `NameField`. */
export function NameMissed(): JSX.Element {
  return (
    <div class="notice alarm" role="alert">
      <p>
        <strong>Nothing was done.</strong> The name you typed is not the name of the container.{' '}
        <a href="#name">Go to the field</a>
      </p>
    </div>
  );
}
