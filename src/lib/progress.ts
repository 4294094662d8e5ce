/** Reports the current state of long work as text. May be called often. */
export type Progress = (detail: string) => void;
