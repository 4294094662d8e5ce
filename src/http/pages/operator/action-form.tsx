import type { ComponentChildren, JSX } from 'preact';

export const ACTIONS = ['approve', 'decline', 'backup', 'renew', 'retry', 'window', 'start-now', 'rehearse'] as const;
export type Action = (typeof ACTIONS)[number];

/** Creates the token that binds a form to its action and its target. */
export type TokenFor = (action: Action, id: string) => string;

interface Props {
  action: Action;
  id: string;
  tokenFor: TokenFor;
  /** On the button. */
  text: string;
  /** For a screen reader, which reads the button without its row. */
  of: string;
  children?: ComponentChildren;
}

export function ActionForm({ action, id, tokenFor, text, of, children }: Props): JSX.Element {
  return (
    <form method="post" action={`actions/${action}`}>
      <input type="hidden" name="id" value={id} />
      <input type="hidden" name="form" value={tokenFor(action, id)} />
      {children}
      <button class={action === 'approve' ? 'approve' : undefined}>
        {text}
        <span class="unseen"> {of}</span>
      </button>
    </form>
  );
}
