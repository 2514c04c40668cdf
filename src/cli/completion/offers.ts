/** The words that may stand at the end of a command line; what the shells' scripts ask for. */
import type { Client } from '../../client/client.ts';
import type { Command } from '../command.ts';
import { type CommandEntry, nouns, topCommands } from '../commands.ts';
import { globalOptions } from '../global-options.ts';
import type { Completion, Option, OptionTable } from '../grammar/options.ts';

/** A word, maybe with a tab and its explanation behind it. */
export type Offer = string;

/** Files are the shell's own business. */
const files: Offer[] = [':files'];

/** @param words of the command line behind `berth`; the last one is being typed */
export async function completionOffers(words: readonly string[], client: () => Promise<Client>): Promise<Offer[]> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { entry, rest, candidates } = findCommand(before);
  if (!entry) return candidates.filter((offer) => offer.startsWith(typed));
  const { command } = await entry.load();
  const offers = await commandOffers(command, rest, typed, client);
  return offers === files ? files : offers.filter((offer) => offer.startsWith(typed));
}

interface Found {
  entry?: CommandEntry;
  /** Words behind the command. */
  rest: readonly string[];
  /** What may stand where the command is still missing. */
  candidates: Offer[];
}

function findCommand(before: readonly string[]): Found {
  let at = 0;
  while (at < before.length && before[at]?.startsWith('-'))
    at += takesNext(globalOptions, before[at] as string) ? 2 : 1;
  const [word, verb] = before.slice(at);
  const described = (entries: Record<string, { summary: string }>): Offer[] =>
    Object.entries(entries).map(([name, { summary }]) => `${name}\t${summary}`);
  if (word === undefined)
    return { rest: [], candidates: [...described(topCommands), ...described(nouns), ...optionOffers(globalOptions)] };
  const noun = Object.hasOwn(nouns, word) ? nouns[word] : undefined;
  if (noun && verb === undefined) return { rest: [], candidates: described(noun.verbs) };
  const entry = noun ? noun.verbs[noun.synonyms?.[verb as string] ?? (verb as string)] : topCommands[word];
  return { entry, rest: before.slice(at + (noun ? 2 : 1)), candidates: [] };
}

/** True for `--name` or `-n` whose value is the next word. */
function takesNext(table: OptionTable, word: string): boolean {
  const option = findOption(table, word);
  return option !== undefined && option.kind !== 'bool' && option.alone === undefined && !word.includes('=');
}

function findOption(table: OptionTable, word: string): Option | undefined {
  if (word.startsWith('--')) return table[word.slice(2).split('=')[0] as string];
  const letter = word.at(-1);
  return Object.values(table).find((option) => option.short === letter);
}

function optionOffers(table: OptionTable): Offer[] {
  return Object.entries(table)
    .filter(([, option]) => !option.hidden)
    .map(([name, option]) => `--${name}\t${option.help}`);
}

async function commandOffers(
  command: Command,
  rest: readonly string[],
  typed: string,
  client: () => Promise<Client>,
): Promise<Offer[]> {
  const last = rest.at(-1);
  if (last?.startsWith('-') && takesNext(command.options, last))
    return valueOffers(findOption(command.options, last)?.complete, client);
  if (typed.startsWith('-')) return optionOffers(command.options);
  return valueOffers(command.complete, client);
}

async function valueOffers(completion: Completion | undefined, client: () => Promise<Client>): Promise<Offer[]> {
  if (completion === undefined) return [];
  if (typeof completion !== 'string') return [...completion];
  if (completion === 'files') return files;
  return askEngine(completion, await client());
}

async function askEngine(what: Exclude<Completion, 'files' | readonly string[]>, client: Client): Promise<Offer[]> {
  switch (what) {
    case 'containers':
    case 'all-containers': {
      const { listContainers } = await import('../../client/containers/list.ts');
      const containers = await listContainers(client, { all: what === 'all-containers' });
      return containers.flatMap((container) => container.Names.map((name) => `${name.slice(1)}\t${container.Status}`));
    }
    case 'images': {
      const { listImages } = await import('../../client/images/list.ts');
      return (await listImages(client)).flatMap((image) => image.RepoTags ?? []);
    }
    case 'networks': {
      const { listNetworks } = await import('../../client/networks/list.ts');
      return (await listNetworks(client)).map((network) => `${network.Name}\t${network.Driver}`);
    }
    case 'volumes': {
      const { listVolumes } = await import('../../client/volumes/list.ts');
      return ((await listVolumes(client)).Volumes ?? []).map((volume) => volume.Name);
    }
  }
}
