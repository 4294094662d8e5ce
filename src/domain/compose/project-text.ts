/** A file of a compose project: its path on the host, and what is in it. */
export interface ProjectText {
  path: string;
  text: string;
}

/** All files of a compose project that its services are made from, each in Compose's order: a later one wins. */
export interface ProjectTexts {
  composeFiles: readonly ProjectText[];
  envFiles: readonly ProjectText[];
}
