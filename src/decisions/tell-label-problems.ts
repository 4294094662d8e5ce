import type { Container } from '../domain/container';
import type { Logger } from '../lib/logger';

/** An invalid label is an error in the log (contract, section 1); page and `check` show the same. */
export function tellLabelProblems(logger: Logger, { name, labels }: Pick<Container, 'name' | 'labels'>): void {
  for (const { label, value, message } of labels.problems) {
    logger.error('a label does not say what it may say', { container: name, label, value, reason: message });
  }
}
