import type { App } from '../app';
import type { Container } from '../domain/container';
import { within, type Finding } from './findings';

const what = 'Signature';

/** Whether what each watched container or service runs is signed; where `update.verify` requires it, whether as required. */
export function signatureFindings(app: App, targets: readonly Container[]): Promise<Finding[]> {
  const watched = targets.filter(({ labels }) => labels.watched && labels.policy !== 'ignore');
  return within(app, what, 'warning', async () => {
    const seen = await app.look.signatures(watched);
    const required = seen.flatMap(({ name, rule, status, words }): Finding[] =>
      rule === null ? [] : [{ what, status: status === 'verified' ? 'ok' : 'warning', words: `${name}: ${words}` }],
    );
    const others = seen.filter(({ rule }) => rule === null);
    return [...required, ...notRequired(others)];
  });
}

function notRequired(seen: readonly { name: string; words: string }[]): Finding[] {
  const groups = new Map<string, string[]>();
  for (const { name, words } of seen) groups.set(words, [...(groups.get(words) ?? []), name]);
  return [...groups].map(([words, names]) => ({ what, status: 'ok', words: `${names.join(', ')}: ${words}` }));
}
