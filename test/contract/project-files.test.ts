import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createProjectFiles } from '../../src/adapters/project-files/project-files';
import { projectFilesContract } from './project-files.contract';

// There is no fake of it: the flows are tested on real files too, in memory where that is to be had (support/scene).
projectFilesContract('files on the disk', createProjectFiles(), tmpdir());
projectFilesContract('files in memory', createProjectFiles(), existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
