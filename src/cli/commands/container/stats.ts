import { listContainers } from '../../../client/containers/list.ts';
import { containerStats } from '../../../client/containers/stats.ts';
import { readMessages } from '../../../client/messages.ts';
import { type Cli, defineCommand } from '../../command.ts';
import { describeError } from '../../describe-error.ts';
import { formatHelp } from '../../grammar/common.ts';
import { renderListing } from '../../render/listing.ts';
import { readStats, type StatsRow, statsListing } from '../../render/stats-listing.ts';

const columns = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];
/** Between two pictures of the screen, milliseconds. */
const interval = 500;

export const command = defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  options: {
    all: { kind: 'bool', short: 'a', help: 'Those that do not run too' },
    format: { kind: 'string', help: formatHelp },
    'no-stream': { kind: 'bool', help: 'Print one reading and leave' },
    'no-trunc': { kind: 'bool', help: 'Print everything at full length' },
  },
  words: { least: 0 },
  complete: 'containers',
  async run({ cli, options, words }) {
    const names = words.length > 0 ? words : await allContainers(cli, options.all);
    const format = options.format || (typeof cli.config['statsFormat'] === 'string' ? cli.config['statsFormat'] : '');
    const listing = statsListing(!options['no-trunc']);
    const render = (rows: StatsRow[]): Promise<string> => renderListing(listing, rows, { format, columns });
    if (options['no-stream']) {
      const rows = await Promise.all(names.map((name) => once(cli, name)));
      await cli.out.write(await render(rows));
      return 0;
    }
    return follow(cli, names, render);
  },
});

async function allContainers(cli: Cli, all: boolean): Promise<string[]> {
  return (await listContainers(cli.client, { all })).map((container) => container.Id);
}

async function once(cli: Cli, name: string): Promise<StatsRow> {
  const answer = await containerStats(cli.client, name, { stream: false });
  for await (const reading of readMessages(answer)) {
    answer.close();
    return readStats(name, reading);
  }
  throw new Error(`no reading of ${name} came`);
}

/** Draws all rows again and again until every stream has ended. */
async function follow(
  cli: Cli,
  names: readonly string[],
  render: (rows: StatsRow[]) => Promise<string>,
): Promise<number> {
  const rows = new Map<string, StatsRow>();
  const errors: string[] = [];
  let open = names.length;
  const watch = async (name: string): Promise<void> => {
    try {
      const answer = await containerStats(cli.client, name, { stream: true });
      for await (const reading of readMessages(answer)) rows.set(name, readStats(name, reading));
    } catch (error) {
      errors.push(describeError(error));
    } finally {
      open--;
    }
  };
  const streams = names.map(watch);
  while (open > 0) {
    await new Promise((resolve) => setTimeout(resolve, interval));
    const shown = names.flatMap((name) => rows.get(name) ?? []);
    // Home, the picture, and what is left of the old one gone.
    const picture = (await render(shown)).replaceAll('\n', '\x1b[K\n');
    await cli.out.write(`\x1b[H${picture}\x1b[J`);
  }
  await Promise.all(streams);
  if (errors.length === 0) return 0;
  await cli.err.write(`${errors.join('\n')}\n`);
  return 1;
}
