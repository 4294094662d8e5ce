/** Says what long work does right now, in words for a person. May be called more often than anybody reads. */
export type Progress = (detail: string) => void;
