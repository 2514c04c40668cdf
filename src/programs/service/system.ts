/** The machine's service manager and groups. */
import { access, readFile } from 'node:fs/promises';
import { BerthError } from '../../api/errors.ts';
import { runTool } from '../../host/process/run-tool.ts';

/** systemd runs this machine (sd_booted(3)). */
export async function hasSystemd(): Promise<boolean> {
  return exists('/run/systemd/system');
}

/** Runs systemctl; gives what it prints. Error: its own last lines. */
export function systemctl(...words: string[]): Promise<string> {
  return runTool(['systemctl', ...words]);
}

/** The answer to a question whose "no" is an exit status too. */
export async function askSystemctl(...words: string[]): Promise<string> {
  const child = Bun.spawn(['systemctl', ...words], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
  return (await child.stdout.text()).trim();
}

/** Members of a group; null where there is no such group. */
export async function groupMembers(group: string): Promise<string[] | null> {
  for (const line of (await readFile('/etc/group', 'utf8')).split('\n')) {
    const [name, , , members] = line.split(':');
    if (name === group) return (members ?? '').split(',').filter((member) => member !== '');
  }
  return null;
}

export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Error: `forbidden`. */
export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new BerthError('forbidden', `${what} needs root privileges`);
}
