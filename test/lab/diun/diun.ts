import { attempt } from '../command';
import type { Lab, Say } from '../lab';
import { diunInContainer, diunProgram } from './real-diun';
import { replayedDiun } from './replayed-diun';

/** Watches the containers labelled `diun.enable=true` and reports new digests of their images to a webhook. */
export interface Diun {
  readonly kind: 'real' | 'replayed';
  stop(): Promise<void>;
}

export interface DiunTarget {
  /** `http://127.0.0.1:8080`: the receiver, without the path. */
  baseUrl: string;
  token: string;
  say: Say;
}

/**
 * Starts Diun and resolves when it has seen everything once, which it does not report. The real one where it can be had:
 * DIUN_BIN, `diun` on the PATH, the public image; else its recorded requests are replayed, and that is said loudly.
 */
export async function startDiun(lab: Lab, target: DiunTarget): Promise<Diun> {
  const program = await findProgram();
  if (program) return diunProgram(lab, target, program);
  if (lab.origin === 'public') return diunInContainer(lab, target);
  return replayedDiun(lab, target);
}

async function findProgram(): Promise<string | null> {
  const named = process.env['DIUN_BIN'];
  if (named) return named;
  const answer = await attempt('diun', ['--version']).catch(() => null);
  return answer?.code === 0 ? 'diun' : null;
}
