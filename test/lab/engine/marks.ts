/** How the lab knows its own objects on an engine that others use too. */
export interface Marks {
  /** Label of whatever the lab starts without Compose: `diun-pilot.lab=ID`; null when only one project is meant. */
  label: string | null;
  /** Every compose project of the lab begins so, and every name that is made of one, such as those of one-offs. */
  projectPrefix: string;
}

/** A container, volume or network, as the engine tells of it. */
export interface Marked {
  name: string;
  project: string;
  lab: string;
}

/** Labels by which a thing is marked. */
export const MARKING_LABELS = { project: 'com.docker.compose.project', lab: 'diun-pilot.lab' };

/** By label or by name, and by nothing else: what anybody else made is not the lab's, whatever image it runs. */
export function isMarked({ label, projectPrefix }: Marks, { name, project, lab }: Marked): boolean {
  const named = [project, name].some((each) => each.startsWith(projectPrefix));
  return named || (label !== null && label === `${MARKING_LABELS.lab}=${lab}`);
}
