/** Who logs in, asked on the terminal. */
import { type Cli, ExitStatus } from '../command.ts';
import { readLine } from './prompt.ts';

/** The user's name, from the terminal. Error: exit status 1 where there is none. */
export async function askUser(cli: Cli): Promise<string> {
  const { isTerminal } = await import('./terminal.ts');
  if (!(await isTerminal(0)))
    throw new ExitStatus(1, 'Error: Cannot perform an interactive login from a non TTY device');
  await cli.out.write('Username: ');
  const name = await readLine({ echo: true });
  if (name === '') throw new ExitStatus(1, 'Error: username is required');
  return name;
}

/** A password from the terminal, not shown. Error: exit status 1 where there is none. */
export async function askPassword(cli: Cli): Promise<string> {
  const { isTerminal } = await import('./terminal.ts');
  if (!(await isTerminal(0)))
    throw new ExitStatus(1, 'Error: Cannot perform an interactive login from a non TTY device');
  await cli.out.write('Password: ');
  const password = await readLine({ echo: false });
  await cli.out.write('\n');
  if (password === '') throw new ExitStatus(1, 'Error: password is required');
  return password;
}
