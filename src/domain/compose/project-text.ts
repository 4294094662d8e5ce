/** A file of a compose project: its path on the host, and what is in it. */
export interface ProjectText {
  path: string;
  text: string;
}
