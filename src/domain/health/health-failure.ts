/** How a container fails its own question of health at one moment. */
export interface HealthFailure {
  /** `container`: by Docker's own state. `probe`: that has nothing against it, so the label `update.probe` may be what is wrong. */
  of: 'container' | 'probe';
  /** What was seen, as text. */
  detail: string;
}
