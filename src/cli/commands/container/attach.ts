import { inspectContainer } from '../../../client/containers/inspect.ts';
import { resizeContainer } from '../../../client/containers/resize.ts';
import { checkInput, exitStatus, openAttached, runAttached, watchExit } from '../../attached-container.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { detachKeysOption } from '../../grammar/common.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  options: {
    ...detachKeysOption,
    'no-stdin': { kind: 'bool', help: 'Do not attach input' },
    'sig-proxy': { kind: 'bool', default: 'true', shownDefault: 'true', help: 'Hand signals on to the container' },
  },
  words: { least: 1, most: 1 },
  complete: 'containers',
  async run({ cli, options, words }) {
    const { Id, Config, State } = await inspectContainer(cli.client, words[0] as string);
    if (!State.Running) throw new ExitStatus(1, 'You cannot attach to a stopped container, start it first');
    if (State.Paused) throw new ExitStatus(1, 'You cannot attach to a paused container, unpause it first');
    if (State.Restarting)
      throw new ExitStatus(1, 'You cannot attach to a restarting container, wait until it is running');
    const stdin = !options['no-stdin'] && Config.OpenStdin;
    await checkInput(Config.Tty, stdin);
    const waiting = await watchExit(cli, Id, 'not-running');
    const attached = await openAttached(cli, {
      container: Id,
      tty: Config.Tty,
      stdin,
      stdout: true,
      stderr: true,
      detachKeys: options['detach-keys'],
      forwardSignals: options['sig-proxy'] && !Config.Tty,
    });
    if (Config.Tty) await redraw((size) => resizeContainer(cli.client, Id, size));
    if ((await runAttached(cli, attached, Promise.resolve())) === 'detached')
      throw new ExitStatus(1, 'read escape sequence');
    return exitStatus(waiting);
  },
});

/** A size that is another one for a moment makes programs draw their screen again, which a client that has just come has not seen. */
async function redraw(resize: (size: { columns: number; rows: number }) => Promise<void>): Promise<void> {
  const { terminalSize } = await import('../../streams/terminal.ts');
  const size = await terminalSize();
  if (size) await resize({ columns: size.columns + 1, rows: size.rows + 1 }).catch(() => undefined);
}
