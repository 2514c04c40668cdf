import { createExec } from '../../../client/exec/create.ts';
import { inspectExec } from '../../../client/exec/inspect.ts';
import { resizeExec } from '../../../client/exec/resize.ts';
import { startExec, startExecDetached } from '../../../client/exec/start.ts';
import { checkInput } from '../../attached-container.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { chosenDetachKeys } from '../../detach-keys-option.ts';
import { detachKeysOption } from '../../grammar/common.ts';
import { readKeyValueFile } from '../../run-options/files.ts';
import { checkEnvironment } from '../../run-options/texts.ts';
import { runSession } from '../../streams/session.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  options: {
    ...detachKeysOption,
    detach: { kind: 'bool', short: 'd', help: 'Leave it running in the background' },
    env: {
      kind: 'list',
      short: 'e',
      help: 'Environment variable (KEY=value, or KEY to take it over)',
      check: checkEnvironment,
    },
    'env-file': { kind: 'list', help: 'File of environment variables', complete: 'files' },
    interactive: { kind: 'bool', short: 'i', help: 'Keep standard input open' },
    privileged: { kind: 'bool', help: 'Give all rights of the host' },
    tty: { kind: 'bool', short: 't', help: 'Give it a terminal' },
    user: { kind: 'string', short: 'u', help: 'User, and group (NAME|UID[:GROUP|GID])' },
    workdir: { kind: 'string', short: 'w', help: 'Working directory' },
  },
  words: { least: 2 },
  complete: 'containers',
  endsAtFirstWord: true,
  async run({ cli, options, words }) {
    const [container, ...argv] = words as [string, ...string[]];
    const { detach, tty, interactive } = options;
    if (!detach) await checkInput(tty, interactive);
    const size = tty ? await (await import('../../streams/terminal.ts')).terminalSize() : undefined;
    const id = await createExec(cli.client, container, {
      User: options.user,
      Privileged: options.privileged,
      Tty: tty,
      ConsoleSize: size ? [size.rows, size.columns] : null,
      AttachStdin: interactive && !detach,
      AttachStdout: !detach,
      AttachStderr: !detach,
      DetachKeys: options['detach-keys'] || (cli.config.detachKeys ?? ''),
      Env: await environment(cli, options.env, options['env-file']),
      WorkingDir: options.workdir,
      Cmd: argv,
    });
    if (detach) {
      await startExecDetached(cli.client, id, { Tty: tty });
      return 0;
    }
    return runAttachedExec(cli, id, options, size);
  },
});

async function environment(cli: Cli, texts: readonly string[], files: readonly string[]): Promise<string[] | null> {
  const lines: string[] = [];
  for (const file of files) lines.push(...(await readKeyValueFile(file, (key) => cli.environment[key])));
  for (const text of texts) {
    const value = text.includes('=') ? undefined : cli.environment[text];
    lines.push(value === undefined ? text : `${text}=${value}`);
  }
  return lines.length > 0 ? lines : null;
}

interface ExecFlags {
  tty: boolean;
  interactive: boolean;
  'detach-keys': string;
}

async function runAttachedExec(
  cli: Cli,
  id: string,
  flags: ExecFlags,
  size: { rows: number; columns: number } | undefined,
): Promise<number> {
  const { tty, interactive } = flags;
  const stream = await startExec(cli.client, id, {
    Detach: false,
    Tty: tty,
    ConsoleSize: size ? [size.rows, size.columns] : null,
  });
  const terminal = tty || interactive ? await import('../../streams/terminal.ts') : undefined;
  const undo: (() => void)[] = [];
  try {
    if (terminal && tty && interactive) undo.push(await terminal.rawMode());
    if (terminal && tty && (await terminal.isTerminal(1)))
      undo.push(await terminal.watchSize((now) => resizeExec(cli.client, id, now)));
    const end = await runSession({
      stream,
      tty,
      input: interactive ? terminal?.standardInput() : undefined,
      outputs: { out: cli.out, err: cli.err },
      detachKeys: tty && interactive ? chosenDetachKeys(cli, flags['detach-keys']) : new Uint8Array(0),
    });
    if (end === 'detached') throw new ExitStatus(1, 'read escape sequence');
  } finally {
    for (const action of undo.reverse()) action();
  }
  return (await inspectExec(cli.client, id)).ExitCode ?? 0;
}
