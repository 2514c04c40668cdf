/**
 * Named steps at which a test can make this program die, fail or wait. Off unless the environment variable
 * `BERTH_FAILPOINTS` names a control file when the program starts; then every step looks into that file, so a test
 * can arm and disarm steps while the program runs. Each line of the file is `<step> <action> [argument]`:
 *
 *   run.after-network kill9          the program kills itself, as kill -9 would
 *   run.after-network error TEXT     the step throws an Error of that text
 *   run.after-network delay PATH     the step waits until the file PATH exists
 *   undo.bundle drop                 the undo step of that name (undo-stack.ts) is left out: something must leak then
 *
 * A line is taken out when it strikes, and the step's name is appended to `<control file>.hit`. A name may stand several
 * times: the lines strike one after the other.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const controlFile = process.env['BERTH_FAILPOINTS'];

/**
 * Marks a step. Nothing happens, and nothing is allocated, while failpoints are off. Await it where the code can wait;
 * in synchronous code `kill9` and `error` strike just the same.
 * @param name `<operation>.<where>`, for example `run.after-network`; a literal, the fault suite reads it from the source
 */
export function failpoint(name: string): Promise<void> | undefined {
  return controlFile === undefined ? undefined : strike(controlFile, name);
}

/** True where a test wants an undo step to be left out. */
export function isDropped(undo: string): boolean {
  if (controlFile === undefined) return false;
  return take(controlFile, `undo.${undo.replaceAll(' ', '-')}`)?.action === 'drop';
}

/** The line of the step; it is taken out. */
function take(path: string, name: string): { action: string; argument: string } | null {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const index = lines.findIndex((line) => line.split(' ', 1)[0] === name);
  if (index < 0) return null;
  const [, action = '', ...rest] = (lines[index] as string).split(' ');
  writeFileSync(path, lines.toSpliced(index, 1).join('\n'));
  appendFileSync(`${path}.hit`, `${name}\n`);
  return { action, argument: rest.join(' ') };
}

function strike(path: string, name: string): Promise<void> | undefined {
  const line = take(path, name);
  if (!line) return undefined;
  const { action, argument } = line;
  switch (action) {
    case 'kill9':
      process.kill(process.pid, 'SIGKILL');
      return undefined;
    case 'error':
      throw new Error(argument || `failpoint ${name}`);
    case 'delay':
      return untilExists(argument);
    default:
      throw new Error(`failpoint ${name}: no such action: ${action}`);
  }
}

async function untilExists(path: string): Promise<void> {
  while (!existsSync(path)) await setTimeout(5);
}
