import { errorMessage } from '../../../api/errors.ts';
import { startContainer } from '../../../client/containers/start.ts';
import { checkInput, exitStatus, openAttached, runAttached, watchExit } from '../../attached-container.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { makeContainer, ownFailureStatus, withHelp } from '../../create-container.ts';
import { detachKeysOption } from '../../grammar/common.ts';
import type { ContainerFlags } from '../../run-options/build.ts';
import { containerOptions } from '../../run-options/table.ts';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  options: {
    ...containerOptions,
    ...detachKeysOption,
    detach: { kind: 'bool', short: 'd', help: 'Leave it running in the background and print its id' },
    'sig-proxy': { kind: 'bool', default: 'true', shownDefault: 'true', help: 'Hand signals on to the container' },
  },
  words: { least: 1 },
  complete: 'images',
  endsAtFirstWord: true,
  async run({ cli, options, given, words }) {
    const { detach } = options;
    if (detach && options.attach.length > 0)
      throw new ExitStatus(1, 'conflicting options: cannot specify both --attach and --detach');
    if (!detach) await checkInput(options.tty, options.interactive);
    const container = await makeContainer(cli, { flags: options, given, words, detach, verb: 'run' });
    if (detach) {
      const failure = await startContainer(cli.client, container).then(
        () => undefined,
        (error: unknown) => startFailure(error),
      );
      // It is there, started or not.
      await cli.out.write(`${container}\n`);
      if (failure) throw failure;
      return 0;
    }
    return runInForeground(cli, container, options);
  },
});

type RunFlags = ContainerFlags & { 'detach-keys': string; 'sig-proxy': boolean };

/** Attach and wait first, then start: neither output nor exit can be missed. */
async function runInForeground(cli: Cli, container: string, flags: RunFlags): Promise<number> {
  const named = flags.attach;
  const wants = (stream: string, otherwise: boolean): boolean =>
    named.length === 0 ? otherwise : named.includes(stream);
  const [attached, waiting] = await Promise.all([
    openAttached(cli, {
      container,
      tty: flags.tty,
      stdin: flags.interactive && wants('stdin', true),
      stdout: wants('stdout', true),
      stderr: wants('stderr', true),
      detachKeys: flags['detach-keys'],
      forwardSignals: flags['sig-proxy'],
    }),
    watchExit(cli, container, flags.rm ? 'removed' : 'next-exit'),
  ]);
  const starting = startContainer(cli.client, container);
  const session = runAttached(cli, attached, starting);
  // A start that fails ends the session as well; its own error is the one to tell.
  session.catch(() => undefined);
  try {
    await starting;
  } catch (error) {
    attached.stream.close();
    await session.catch(() => undefined);
    if (flags.rm) await waiting.result.catch(() => undefined);
    throw startFailure(error);
  }
  if ((await session) === 'detached') return 0;
  return exitStatus(waiting).catch((error: unknown) => {
    throw error instanceof ExitStatus
      ? error
      : new ExitStatus(ownFailureStatus, `error waiting for container: ${errorMessage(error)}`);
  });
}

/** 127: no such program; 126: it cannot be run; 125: all else. */
export function startFailure(error: unknown): ExitStatus {
  const message = errorMessage(error);
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message))
    return withHelp(error, 'run', 127);
  if (/permission denied|is a directory/.test(message)) return withHelp(error, 'run', 126);
  return withHelp(error, 'run', ownFailureStatus);
}
