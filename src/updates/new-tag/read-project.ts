import { type ComposeProject, envFilesOf } from '../../domain/compose/compose-project';
import type { ProjectText, ProjectTexts } from '../../domain/compose/project-text';
import { PilotError } from '../../domain/errors';
import type { ProjectFiles } from '../../ports/compose';

/** Reads the files of a compose project. Rejects with `project_file_refused` when not all of them can be read here. */
export async function readProject(files: ProjectFiles, project: ComposeProject): Promise<ProjectTexts> {
  const read = async (path: string): Promise<ProjectText[]> => {
    const text = await files.read({ folder: project.folder, path });
    return text === null ? [] : [{ path, text }];
  };
  const required = async (path: string): Promise<ProjectText> => {
    const [file] = await read(path);
    if (file === undefined) throw notMounted(path);
    return file;
  };
  const composeFiles = await Promise.all(project.composeFiles.map(required));
  // Compose reads `.env` where it is; what was given to it by name must be there.
  const envFiles =
    project.envFiles === null
      ? (await Promise.all(envFilesOf(project).map(read))).flat()
      : await Promise.all(project.envFiles.map(required));
  return { composeFiles, envFiles };
}

function notMounted(path: string): PilotError {
  return new PilotError(
    'project_file_refused',
    `${path} is not there: mount the folder of the project, at the same path, into the container of diun-pilot.`,
  );
}
