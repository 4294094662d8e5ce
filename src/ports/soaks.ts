import type { Soak } from '../domain/soak/soak';

/** The soaks of updates, one each at most: what is here is the state, whatever process reads it. */
export interface Soaks {
  /** In the transaction of the verdict. One of the same update is replaced. */
  begin(
    soak: Pick<Soak, 'updateId' | 'container' | 'containerId' | 'oldContainerId' | 'until' | 'restarts' | 'holdsData'>,
  ): void;
  /** Null: the update has none. */
  of(updateId: string): Soak | null;
  /** Those that have not ended, oldest first. */
  open(): Soak[];
  change(updateId: string, fields: Partial<Omit<Soak, 'updateId'>>): Soak;
}
