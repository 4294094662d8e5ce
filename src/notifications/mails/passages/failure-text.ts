import type { Block, Tone } from '../../letter/letter';

/** The beginning of a mail about one of the three failed verdicts. */
export interface FailureText {
  subject: string;
  tone: Tone;
  word: string;
  heading: string;
  opening: Block[];
  labels: { from: string; to: string };
}
