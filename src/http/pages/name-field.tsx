import type { JSX } from 'preact';
import { oneLine } from '../../notifications/letter/clean';

/** The container's name must be typed before anything is done to a container that holds data. */
export function NameField({ container, to, wrong }: { container: string; to: string; wrong: boolean }): JSX.Element {
  return (
    <p>
      <label for="name">
        It holds data. To {to}, type its name: <strong>{oneLine(container)}</strong>
      </label>
      <input
        id="name"
        name="name"
        type="text"
        required
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={wrong ? 'true' : undefined}
      />
    </p>
  );
}
