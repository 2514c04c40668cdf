import { type Cli, ExitStatus } from '../command.ts';
import {
  type BuildProgress,
  PlainProgress,
  QuietProgress,
  RawProgress,
  ScreenProgress,
} from '../render/build-progress.ts';
import { isTerminal } from '../streams/terminal.ts';

/** The way to show a build that fits the options and the terminal. Error: exit status 1 for a way that there is not. */
export async function chooseProgress(cli: Cli, options: { progress: string; quiet: boolean }): Promise<BuildProgress> {
  if (options.quiet) return new QuietProgress(cli.err);
  const given = options.progress === 'auto' ? (cli.environment['BUILDKIT_PROGRESS'] ?? 'auto') : options.progress;
  switch (given) {
    case 'quiet':
      return new QuietProgress(cli.err);
    case 'rawjson':
      return new RawProgress(cli.err);
    case 'plain':
      return new PlainProgress(cli.err);
    case 'auto':
    case 'tty':
      if (await isTerminal(2)) return screen(cli);
      if (given === 'tty') throw new ExitStatus(1, 'ERROR: failed to get console: provided file is not a console');
      return new PlainProgress(cli.err);
    default:
      throw new ExitStatus(1, `ERROR: invalid progress mode: ${given}`);
  }
}

async function screen(cli: Cli): Promise<BuildProgress> {
  const { WriteStream } = await import('node:tty');
  const terminal = new WriteStream(2);
  const size = (): { columns: number; rows: number } => {
    const [columns, rows] = terminal.getWindowSize();
    return { columns: columns || 80, rows: rows || 24 };
  };
  return new ScreenProgress(cli.err, { size, colors: (cli.environment['NO_COLOR'] ?? '') === '' });
}
