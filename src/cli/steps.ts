import type { Cli } from './command.ts';

/** Prints each step once the work is over, also where it fails. */
export async function printSteps(cli: Cli, work: (say: (line: string) => void) => Promise<void>): Promise<void> {
  const lines: string[] = [];
  try {
    await work((line) => lines.push(`${line}\n`));
  } finally {
    await cli.out.write(lines.join(''));
  }
}
