import { inspectContainer } from '../../../client/containers/inspect.ts';
import { startContainer } from '../../../client/containers/start.ts';
import { checkInput, exitStatus, openAttached, runAttached, watchExit } from '../../attached-container.ts';
import { forEachName } from '../../batch.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { detachKeysOption } from '../../grammar/common.ts';
import { startFailure } from './run.ts';

const noCheckpoints = 'checkpoints are not supported yet';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: {
    ...detachKeysOption,
    attach: { kind: 'bool', short: 'a', help: 'Attach output and error, and hand signals on' },
    interactive: { kind: 'bool', short: 'i', help: 'Attach input too' },
    checkpoint: { kind: 'string', hidden: true, refused: noCheckpoints, help: 'Checkpoint to start from' },
    'checkpoint-dir': { kind: 'string', hidden: true, refused: noCheckpoints, help: 'Where checkpoints are' },
    'sig-proxy': { kind: 'bool', default: 'true', hidden: true, help: 'Hand signals on to the container' },
  },
  words: { least: 1 },
  complete: 'all-containers',
  async run({ cli, options, words }) {
    if (!options.attach && !options.interactive)
      return forEachName(
        cli,
        words,
        async (name) => {
          await startContainer(cli.client, name);
          return name;
        },
        (failed) => `Error: failed to start containers: ${failed.join(', ')}`,
      );
    if (words.length > 1) throw new ExitStatus(1, 'you cannot start and attach multiple containers at once');
    return startAttached(cli, words[0] as string, options);
  },
});

interface StartFlags {
  attach: boolean;
  interactive: boolean;
  'detach-keys': string;
  'sig-proxy': boolean;
}

async function startAttached(cli: Cli, name: string, flags: StartFlags): Promise<number> {
  const { Id, Config, HostConfig, State } = await inspectContainer(cli.client, name);
  await checkInput(Config.Tty, flags.interactive && Config.OpenStdin);
  const attached = await openAttached(cli, {
    container: Id,
    tty: Config.Tty,
    stdin: flags.interactive && Config.OpenStdin,
    stdout: true,
    stderr: true,
    detachKeys: flags['detach-keys'],
    forwardSignals: flags['sig-proxy'] && !Config.Tty,
  });
  // A container that runs already has no next exit to wait for but the one to come: any condition that is not met yet will do.
  const condition = HostConfig.AutoRemove ? 'removed' : State.Running ? 'not-running' : 'next-exit';
  const waiting = await watchExit(cli, Id, condition);
  const starting = startContainer(cli.client, Id);
  const session = runAttached(cli, attached, starting);
  session.catch(() => undefined);
  try {
    await starting;
  } catch (error) {
    attached.stream.close();
    await session.catch(() => undefined);
    throw new ExitStatus(
      startFailure(error).status === 125 ? 1 : startFailure(error).status,
      startFailure(error).message,
    );
  }
  return (await session) === 'detached' ? 0 : exitStatus(waiting);
}
