import { labEnvironment } from './lab-environment';
import { LabBusy } from './lab-lock';
import { LabUnavailable } from './lab-unavailable';
import { Interrupted, withLab } from './with-lab';

/** `npm run lab`: the lab stays up until Ctrl-C; standard output carries nothing but lines for the shell. */
async function main(): Promise<void> {
  const say = (line: string) => console.error(`lab: ${line}`);
  try {
    await withLab(say, (lab) => {
      for (const [name, value] of Object.entries(labEnvironment(lab))) console.log(`export ${name}=${value}`);
      say('up. Ctrl-C takes everything down.');
      return new Promise<never>(() => setInterval(() => undefined, 60_000));
    });
  } catch (error) {
    if (error instanceof Interrupted) return say('taken down.');
    if (!(error instanceof LabUnavailable || error instanceof LabBusy)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
