import type { Block, Tone } from '../letter/letter';

/** What one of the three failed ends says first. */
export interface FailureText {
  subject: string;
  tone: Tone;
  word: string;
  heading: string;
  opening: Block[];
  labels: { from: string; to: string };
}
