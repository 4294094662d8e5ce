/** Digests that are not offered to a container again automatically: they failed here (quarantine), or the operator declined them. */
export interface Refusals {
  /** In the place of an earlier one of the same container and digest. */
  add(refusal: Refusal): void;
  find(container: string, digest: string): Refusal | null;
  /** One that is not there is fine. */
  remove(container: string, digest: string): void;
  /** Newest first. */
  all(): Refusal[];
}

/** One digest that is not offered to one container again automatically. */
export interface Refusal {
  /** Its name. */
  container: string;
  digest: string;
  why: 'failed' | 'declined';
  /** The update that failed, or was declined. */
  updateId: string;
  at: string;
}
