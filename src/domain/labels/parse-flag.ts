/** As Go's `strconv.ParseBool`, which Diun reads its own labels with. */
const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** Null: it is neither. Surrounding blanks are no part of a value. Pure. */
export function parseFlag(text: string): boolean | null {
  const value = text.trim();
  if (TRUE.includes(value)) return true;
  return FALSE.includes(value) ? false : null;
}

/** Whether labels open a container or a service to updates. Pure. */
export function isEnabled(labels: Readonly<Record<string, string>>): boolean {
  return parseFlag(labels['diun.enable'] ?? '') === true;
}
