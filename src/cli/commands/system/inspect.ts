import { errorKind } from '../../../api/errors.ts';
import { inspectContainerText } from '../../../client/containers/inspect.ts';
import { inspectImageText } from '../../../client/images/inspect.ts';
import { inspectNetworkText } from '../../../client/networks/inspect.ts';
import { inspectVolumeText } from '../../../client/volumes/inspect.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { inspectOptions } from '../../grammar/common.ts';
import { inspectAll } from '../../render/inspect.ts';

type Getter = (cli: Cli, name: string, size: boolean) => Promise<string>;

/** In the order in which a name is looked for. */
const getters: Record<string, Getter> = {
  container: (cli, name, size) => inspectContainerText(cli.client, name, { size }),
  image: (cli, name) => inspectImageText(cli.client, name),
  network: (cli, name) => inspectNetworkText(cli.client, name),
  volume: (cli, name) => inspectVolumeText(cli.client, name),
};

export const command = defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  options: {
    ...inspectOptions,
    size: { kind: 'bool', short: 's', help: 'Show how much room the files of containers take' },
    type: {
      kind: 'string',
      help: 'Look only among these: container, image, network or volume',
      complete: Object.keys(getters),
    },
  },
  words: { least: 1 },
  complete: 'all-containers',
  async run({ cli, options, given, words }) {
    const { type, size, format } = options;
    if (given.has('type') && type === '')
      throw new ExitStatus(1, 'type is empty: must be one of "container", "image", "network", "volume"');
    if (type !== '' && !Object.hasOwn(getters, type))
      throw new ExitStatus(
        1,
        `unknown type: ${JSON.stringify(type)}: must be one of "container", "image", "network", "volume"`,
      );
    const chosen = type === '' ? Object.values(getters) : [getters[type] as Getter];
    return inspectAll(cli, words, format, (name) => find(chosen, cli, name, size));
  },
});

async function find(candidates: readonly Getter[], cli: Cli, name: string, size: boolean): Promise<string> {
  for (const get of candidates) {
    try {
      return await get(cli, name, size);
    } catch (error) {
      const kind = errorKind(error);
      // A name that one noun would never have may be another's.
      if (candidates.length === 1 || (kind !== 'not-found' && kind !== 'invalid')) throw error;
    }
  }
  throw new Error(`Error: No such object: ${name}`);
}
