/** One action for each name on the command line. */
import type { Cli } from './command.ts';
import { describeError } from './describe-error.ts';

/** As many requests at a time. */
const parallel = 50;

/**
 * Runs the action for all names; prints what it gives (the name where it gives nothing) in their order, and all errors at the end.
 * @param summary a last line about the names that failed
 * @returns 1 when one failed
 */
export async function forEachName(
  cli: Cli,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
  summary?: (failed: string[]) => string,
): Promise<number> {
  const results: Promise<{ text: string } | { error: unknown }>[] = [];
  const start = (name: string): void => {
    const run = async (): Promise<{ text: string } | { error: unknown }> => {
      try {
        return { text: (await action(name)) ?? name };
      } catch (error) {
        return { error };
      }
    };
    results.push(run());
  };
  const errors: string[] = [];
  const failed: string[] = [];
  for (let at = 0; at < names.length; at++) {
    while (results.length < Math.min(names.length, at + parallel)) start(names[results.length] as string);
    const result = await (results[at] as Promise<{ text: string } | { error: unknown }>);
    if ('text' in result) await cli.out.write(result.text === '' ? '' : `${result.text}\n`);
    else {
      errors.push(describeError(result.error));
      failed.push(names[at] as string);
    }
  }
  if (errors.length === 0) return 0;
  if (summary) errors.push(summary(failed));
  await cli.err.write(`${errors.join('\n')}\n`);
  return 1;
}
