/** Why release notes could not be read: a sentence for a person, without a token. */
export class NotesError extends Error {
  override readonly name = 'NotesError';
  constructor(
    message: string,
    /** `unknown`: this is not the forge, or it does not know the project. `large`: the answer. */
    readonly kind: 'unknown' | 'large' | 'silent' | 'patience' | 'refused',
    options?: { cause?: unknown; retryAfterMs?: number },
  ) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs ?? 0;
  }

  /** The host is not asked again before; 0: it may be. */
  readonly retryAfterMs: number;
}
