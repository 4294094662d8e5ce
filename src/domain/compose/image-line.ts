import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';

/** Where one compose file names the image of a service: the range of the value alone, without its quotes. */
export interface ImageLine {
  kind: 'found';
  start: number;
  end: number;
  value: string;
}

/** `absent`: this file says nothing of it. `unsure`: it does, but in a way that cannot be edited for certain. */
export type Finding = ImageLine | { kind: 'absent' } | { kind: 'unsure'; reason: string; at?: number };

/**
 * Finds the `image:` of a service in the text of one compose file. Pure, and never throws: what is hostile, damaged or
 * too clever is `unsure`. Aliases are never expanded.
 */
export function findImageLine(text: string, service: string): Finding {
  try {
    const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent', prettyErrors: false });
    const [document] = documents;
    if (document === undefined) return { kind: 'absent' };
    if (documents.length !== 1) return unsure('the file holds several YAML documents');
    if (document.errors.length > 0) return unsure('the file is not valid YAML', document.errors[0]?.pos[0]);
    return inDocument(document, text, service);
  } catch {
    // Such as a nesting too deep for the reader: Compose itself would not take it either.
    return unsure('the file cannot be read as YAML');
  }
}

/** Services of this file that take over what another one says, by `extends`, and name no image of their own. */
export function extendersOf(text: string, service: string): string[] {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent', prettyErrors: false });
  const services = (documents[0] as Document | undefined)?.get('services');
  if (!isMap(services)) return [];
  return services.items
    .filter(({ value }) => isMap(value) && extendedBy(value) === service && !value.has('image'))
    .map(({ key }) => String(isScalar(key) ? key.value : key))
    .filter((name) => name !== service);
}

function extendedBy(service: YAMLMap): unknown {
  const named = service.get('extends');
  return isMap(named) ? named.get('service') : named;
}

function inDocument(document: Document, text: string, service: string): Finding {
  const root = document.contents;
  if (root === null) return { kind: 'absent' };
  const path: Node[] = [];
  let node: unknown = root;
  for (const key of ['services', service, 'image']) {
    const next = step(node, key, path);
    if ('kind' in next) return next;
    node = next.value;
  }
  return isScalar(node) ? inScalar(document, text, node, path) : unsure('its image is not plain text', startOf(node));
}

/** One key further down. `path` collects every node on the way. */
function step(node: unknown, key: string, path: Node[]): { value: unknown } | Finding {
  if (isAlias(node)) return unsure(`its image comes by the alias *${node.source}`, startOf(node));
  if (isScalar(node) && node.value === null && node.tag === undefined) return { kind: 'absent' };
  if (!isMap(node)) return unsure('it is not written as Compose expects it', startOf(node));
  if (node.tag !== undefined) return unsure(`it stands below the tag ${node.tag}`, startOf(node));
  path.push(node);
  const pairs = node.items.filter((pair) => isScalar(pair.key) && pair.key.value === key);
  if (pairs.length > 1) return unsure(`it is written twice`, startOf(pairs[1]?.key));
  if (pairs[0] !== undefined) return { value: pairs[0].value };
  const other = ['<<', ...(key === 'image' ? ['extends'] : [])].find((name) => node.has(name));
  return other === undefined
    ? { kind: 'absent' }
    : unsure(`its image comes from elsewhere, by "${other}"`, startOf(node));
}

function inScalar(document: Document, text: string, scalar: Scalar, path: Node[]): Finding {
  const at = startOf(scalar);
  if (scalar.tag !== undefined) return unsure(`its image has the tag ${scalar.tag}`, at);
  const anchor = sharedAnchor(document, [...path, scalar]);
  if (anchor !== null) return unsure(`its image is shared with other services by the anchor &${anchor}`, at);
  const [rangeStart, rangeEnd] = scalar.range ?? [0, 0];
  const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
  const [start, end] = quoted ? [rangeStart + 1, rangeEnd - 1] : [rangeStart, rangeEnd];
  const value = text.slice(start, end);
  if (value !== scalar.value || value === '') return unsure('its image is not written as plain text on one line', at);
  return { kind: 'found', start, end, value };
}

function sharedAnchor(document: Document, nodes: Node[]): string | null {
  const anchors = new Set(nodes.flatMap((node) => ('anchor' in node && node.anchor ? [node.anchor] : [])));
  if (anchors.size === 0) return null;
  let shared: string | null = null;
  visit(document, {
    Alias: (_key, alias) => {
      if (!anchors.has(alias.source)) return undefined;
      shared = alias.source;
      return visit.BREAK;
    },
  });
  return shared;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function unsure(reason: string, at?: number): Finding {
  return at === undefined ? { kind: 'unsure', reason } : { kind: 'unsure', reason, at };
}
