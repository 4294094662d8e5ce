/** The settings whose value is a list of quoted names: `variable_is_guc_list_quote` of pg_dump. */
const LISTS = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
];

export function isListSetting(name: string): boolean {
  return LISTS.includes(name.toLowerCase());
}

/**
 * The elements of such a value as the catalog stores it (`SplitGUCList` of pg_dump). A role may store anything that
 * PostgreSQL accepts as a list, also `public;DROP`: each element is data and never SQL. What cannot be split is
 * one element, so that no role can make its database impossible to restore.
 */
export function listElements(value: string): string[] {
  if (value.trim() === '') return [''];
  const elements: string[] = [];
  let rest = value.trimStart();
  for (;;) {
    const element = QUOTED.exec(rest) ?? PLAIN.exec(rest);
    if (element === null) return [value];
    elements.push(element[1]?.replaceAll('""', '"') ?? element[0].trimEnd());
    rest = rest.slice(element[0].length);
    if (rest === '') return elements;
    if (!rest.startsWith(',')) return [value];
    rest = rest.slice(1).trimStart();
  }
}

const QUOTED = /^"((?:[^"]|"")*)"\s*/;
const PLAIN = /^[^",\s][^,\s]*\s*/;
