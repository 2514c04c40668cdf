import type { Answer } from '../client/client.ts';
import { type Cli, ExitStatus } from './command.ts';
import { outputPlace, writeToFile } from './files.ts';

/** Where an archive goes; an option of every command that gives one. */
export const archiveOptions = {
  output: { kind: 'string', short: 'o', help: 'File to write (standard output unless given)', complete: 'files' },
} as const;

export interface ArchivePlan {
  /** What the user wants done, for errors: `save image`. */
  task: string;
  /** Path of a file; empty: standard output. */
  output: string;
}

/** Asks for an archive and writes it to a file, or to standard output. Error: a refusal where that is a terminal. */
export async function writeArchive(cli: Cli, plan: ArchivePlan, ask: () => Promise<Answer>): Promise<void> {
  const { task, output } = plan;
  const place = output === '' ? undefined : await outputPlace(output, task);
  if (!place) {
    const { isTerminal } = await import('./streams/terminal.ts');
    if (await isTerminal(1))
      throw new ExitStatus(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
  }
  const answer = await ask();
  if (place) await writeToFile(place, answer.body);
  else
    for (let bytes = await answer.body.read(); bytes !== null; bytes = await answer.body.read())
      await cli.out.write(bytes);
  answer.close();
}
