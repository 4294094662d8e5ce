/** The known name that a misspelt one most likely means; null when none is near. */
export function nearestName(misspelt: string, known: readonly string[]): string | null {
  const candidates = known
    .map((name) => ({ name, distance: editDistance(misspelt.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 4)))
    .sort((one, other) => one.distance - other.distance);
  return candidates[0]?.name ?? null;
}

/** Levenshtein distance, of the first 100 characters. */
function editDistance(one: string, other: string): number {
  const target = [...other.slice(0, 100)];
  let row = Array.from({ length: target.length + 1 }, (_, at) => at);
  for (const letter of one.slice(0, 100)) {
    const next = [(row[0] ?? 0) + 1];
    target.forEach((wanted, at) => {
      const replace = (row[at] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(replace, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    });
    row = next;
  }
  return row[target.length] ?? 0;
}
