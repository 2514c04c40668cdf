import type { Client } from '../client/client.ts';
import type { StopOptions } from '../client/containers/stop.ts';
import { forEachName } from './batch.ts';
import { defineCommand, ExitStatus } from './command.ts';

/** `stop` and `restart`: the same options and words. @param request what is asked of the engine for each container */
export function stoppingCommand(request: (client: Client, name: string, options: StopOptions) => Promise<void>) {
  return defineCommand({
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    options: {
      signal: { kind: 'string', short: 's', help: 'Signal that asks the container to end' },
      time: { kind: 'int', hidden: true, help: 'The old name of --timeout' },
      timeout: { kind: 'int', short: 't', help: 'Seconds to wait before the container is killed (-1: forever)' },
    },
    words: { least: 1 },
    complete: 'containers',
    async run({ cli, options, given, words }) {
      if (given.has('time') && given.has('timeout'))
        throw new ExitStatus(1, 'conflicting options: cannot specify both --timeout and --time');
      const timeout = given.has('timeout') ? options.timeout : given.has('time') ? options.time : undefined;
      return forEachName(cli, words, async (name) => {
        await request(cli.client, name, { signal: options.signal, timeout });
        return name;
      });
    },
  });
}
