import { type Document, isAlias, isMap, isScalar, isSeq, parseAllDocuments, type YAMLMap } from 'yaml';

const HOOKS = ['post_start', 'pre_stop'] as const;
/** Maps that a search through merge keys looks into; no project has as many. */
const MOST_MAPS = 200;

/**
 * Names of the lifecycle hooks of a service (Compose 2.30 and later), over all its files. Never throws: a file may be damaged or
 * hostile. Aliases are followed and never expanded.
 */
export function lifecycleHooks(service: string, texts: readonly string[]): string[] {
  const found = texts.flatMap((text) =>
    documentsIn(text).flatMap((document) => HOOKS.filter((hook) => hasHook(document, service, hook))),
  );
  return [...new Set(found)].sort();
}

/** None of a text that is nested too deep for the reader: Compose does not read it either. */
function documentsIn(text: string): Document[] {
  try {
    const options = { uniqueKeys: false, logLevel: 'silent', prettyErrors: false } as const;
    return [...parseAllDocuments(text, options)] as Document[];
  } catch {
    return [];
  }
}

function hasHook(document: Document, service: string, hook: string): boolean {
  const left = { maps: MOST_MAPS };
  const services = entryOf(document, document.contents, 'services', left);
  const commands = entryOf(document, entryOf(document, services, service, left), hook, left);
  // What is merged more often than can be followed may have hooks.
  return left.maps < 0 || (isSeq(commands) && commands.items.length > 0);
}

/** The value of a key, also where it comes by a merge key. */
function entryOf(document: Document, from: unknown, key: string, left: { maps: number }): unknown {
  const map = followed(document, from);
  if (!isMap(map) || (left.maps -= 1) < 0) return undefined;
  const own = valuesOfKey(map, key);
  if (own.length > 0) return followed(document, own.at(-1));
  for (const merged of valuesOfKey(map, '<<')) {
    const sources = followed(document, merged);
    for (const source of isSeq(sources) ? sources.items : [sources]) {
      const found = entryOf(document, source, key, left);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function valuesOfKey(map: YAMLMap, key: string): unknown[] {
  return map.items.filter((pair) => isScalar(pair.key) && pair.key.value === key).map(({ value }) => value);
}

function followed(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}
