/** One figure of a run, next to what it is held against. `goal` null: for information. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** Ratio or bound, as `≥ 0.6` or `≤ 110`. */
  goal: { sign: '≥' | '≤'; bound: number } | null;
  /** What it was measured against, in the same run. */
  against?: string;
}

const printed: Figure[] = [];

export function report(figure: Figure): void {
  printed.push(figure);
  const goal =
    figure.goal === null ? '' : `  goal ${figure.goal.sign} ${figure.goal.bound}  ${isMet(figure) ? 'met' : 'MISSED'}`;
  const against = figure.against === undefined ? '' : `  (${figure.against})`;
  console.log(`${figure.what}: ${round(figure.value)} ${figure.unit}${goal}${against}`);
}

export function missed(): Figure[] {
  return printed.filter((figure) => !isMet(figure));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function isMet({ value, goal }: Figure): boolean {
  return goal === null || (goal.sign === '≥' ? value >= goal.bound : value <= goal.bound);
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
