import { parseAllDocuments } from 'yaml';

const HOOKS = ['post_start', 'pre_stop'] as const;

interface ComposeFile {
  services?: Record<string, Record<string, unknown> | null> | null;
}

/** Names of the lifecycle hooks of a service (Compose 2.30 and later), over all its files. */
export function lifecycleHooks(service: string, texts: readonly string[]): string[] {
  const found = texts.flatMap((text) =>
    parseAllDocuments(text, { merge: true, logLevel: 'silent' }).flatMap((document) => {
      const settings = (document as { toJS(): ComposeFile | null }).toJS()?.services?.[service] ?? {};
      return HOOKS.filter((hook) => Array.isArray(settings[hook]) && settings[hook].length > 0);
    }),
  );
  return [...new Set(found)].sort();
}
