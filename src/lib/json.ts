/** JSON that a stranger may have written; undefined, which no schema accepts, when it is none. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
