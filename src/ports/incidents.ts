/** Problems that diun-pilot fixed automatically, shown to the operator. */
export interface Incidents {
  /** The newest two hundred are kept. */
  add(incident: Omit<Incident, 'at'>): void;
  /** Newest first. */
  recent(limit: number): Incident[];
}

/** One problem that was fixed. */
export interface Incident {
  /** ISO 8601. */
  at: string;
  /** Name of the container. */
  container: string;
  /** A sentence: what was found, and what was done. */
  words: string;
}
