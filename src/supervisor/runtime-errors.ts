/**
 * What OCI runtimes say when they refuse, in the words in which dockerd 28.5 with runc says it: Docker's clients look for
 * "executable file not found", "no such file or directory" and "permission denied" to choose between 127, 126 and 125.
 */
import { BerthError } from '../api/errors.ts';

/** `code` of the error: the exit code that Docker gives the container or exec. */
export const commandNotFound = 'command-not-found';
const commandNotExecutable = 'command-not-executable';

/** The exit code that goes with an error of `Supervisor.start` or `exec`: 126, 127, or 128 where the runtime failed otherwise. */
export function startFailureExitCode(error: unknown): number {
  if (!(error instanceof BerthError)) return 128;
  return error.code === commandNotFound ? 127 : error.code === commandNotExecutable ? 126 : 128;
}

/** The last message of a runtime's log: JSON objects with a `msg`, on one line or many, or plain lines. */
export function lastRuntimeError(log: string): string {
  const message = [...log.matchAll(/"msg"\s*:\s*"((?:[^"\\]|\\.)*)"/g)].at(-1)?.[1];
  if (message !== undefined) return (JSON.parse(`"${message}"`) as string).trim();
  const line = log.trim().split('\n').at(-1) ?? '';
  return line.replace(/^time="[^"]*" level=\w+ msg=/, '').trim();
}

/** Go's words for the errno texts of the C library, which are the same but for the first letter. */
function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** crun's refusals of the command as runc words them; null: it is about something else. */
function commandProblem(message: string, command: string): string | null {
  const quoted = JSON.stringify(command);
  if (command === '' && /executable|cannot find/.test(message))
    return `exec: ${quoted}: executable file not found in $PATH`;
  if (/executable file `.*` not found|^(open|find) executable.*: No such file/s.test(message)) {
    if (!command.includes('/')) return `exec: ${quoted}: executable file not found in $PATH`;
    return `exec: ${quoted}: stat ${command}: no such file or directory`;
  }
  const refused =
    /^(?:open executable|open `.*?`|exec(?: container process)?(?: `.*?`)?|(?:cannot )?stat `.*`): (.*)$/s.exec(
      message,
    )?.[1];
  if (refused === undefined) {
    return /is not (an? )?(regular file|executable)/.test(message) ? `exec: ${quoted}: permission denied` : null;
  }
  if (/Is a directory|Operation not permitted/.test(refused))
    return `exec: ${quoted}: is a directory: permission denied`;
  if (/Not a directory/.test(refused)) return `exec: ${quoted}: stat ${command}: not a directory`;
  return `exec: ${quoted}: ${lowerFirst(refused)}`;
}

/** "chdir to cwd" is what runc says; crun says only chdir. */
function directoryProblem(message: string, directory: string): string | null {
  const reason = /^(?:chdir|open the working directory|cannot chdir)[^:]*: (.*)$/s.exec(message)?.[1];
  return reason === undefined
    ? null
    : `chdir to cwd (${JSON.stringify(directory)}) set in config.json failed: ${lowerFirst(reason)}`;
}

export interface RefusedProcess {
  /** The first argument of the process. */
  command: string;
  /** Its working directory. */
  directory: string;
}

/** @param log what the runtime wrote; @param verb `create` for a container, `exec` for an exec */
export function runtimeError(log: string, process: RefusedProcess, verb: 'create' | 'exec'): BerthError {
  const said = lastRuntimeError(log) || 'the runtime gave no reason';
  const bare = said.replace(/^runc (run|create|exec) failed: /, '').replace(/^exec failed: /, '');
  const problem = commandProblem(bare, process.command) ?? directoryProblem(bare, process.directory);
  const reason =
    problem === null
      ? bare
      : `unable to start container process: ${verb === 'create' ? 'error during container init: ' : ''}${problem}`;
  const message =
    verb === 'exec'
      ? `OCI runtime exec failed: exec failed: ${reason}`
      : `failed to create task for container: failed to create shim task: OCI runtime create failed: ${reason}`;
  if (/executable file not found|no such file or directory|not a directory/i.test(reason)) {
    return new BerthError('invalid', message, { code: commandNotFound });
  }
  if (/permission denied/i.test(reason)) return new BerthError('invalid', message, { code: commandNotExecutable });
  return new BerthError('internal', message, { code: 'runtime-failed' });
}
