import { inspectContainer } from '../../../client/containers/inspect.ts';
import { clearLogs, containerLogs } from '../../../client/containers/logs.ts';
import { defineCommand } from '../../command.ts';
import { parseMomentOption } from '../../moments.ts';
import { copyFrames, copyRaw } from '../../streams/frames.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  options: {
    clear: { kind: 'bool', help: 'Forget what it has written so far, and show nothing' },
    details: { kind: 'bool', help: 'Show extra attributes of each line' },
    follow: { kind: 'bool', short: 'f', help: 'Go on with what it writes from now on' },
    since: { kind: 'string', help: 'Only from this time on (2013-01-02T13:23:37Z), or this long ago (42m)' },
    tail: { kind: 'string', short: 'n', default: 'all', help: 'Only this many lines at the end' },
    timestamps: { kind: 'bool', short: 't', help: 'The time in front of each line' },
    until: { kind: 'string', help: 'Only up to this time, or this long ago' },
  },
  words: { least: 1, most: 1 },
  complete: 'all-containers',
  async run({ cli, options, words }) {
    const [container] = words as [string];
    if (options.clear) {
      await clearLogs(cli.client, container);
      return 0;
    }
    const { Id, Config } = await inspectContainer(cli.client, container);
    const answer = await containerLogs(cli.client, Id, {
      stdout: true,
      stderr: true,
      follow: options.follow,
      since: parseMomentOption(options.since, 'since'),
      until: parseMomentOption(options.until, 'until'),
      timestamps: options.timestamps,
      details: options.details,
      tail: options.tail,
    });
    if (Config.Tty) await copyRaw(answer.body, cli.out);
    else await copyFrames(answer.body, { out: cli.out, err: cli.err });
    return 0;
  },
});
