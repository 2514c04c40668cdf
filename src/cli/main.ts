/** The command line: global options, the command's word, its options; then the command itself, loaded when it is known. */
import { BerthError } from '../api/errors.ts';
import { Client } from '../client/client.ts';
import { bunTransport } from '../client/transport/bun.ts';
import { type Cli, type Command, ExitStatus } from './command.ts';
import { type CommandEntry, type NounEntry, nouns, topCommands } from './commands.ts';
import { configDirectory, readConfigFile } from './config/config-file.ts';
import { chooseHost } from './config/host.ts';
import { globalOptions } from './global-options.ts';
import type { OptionValues } from './grammar/options.ts';
import { parseArguments } from './grammar/parse.ts';
import { standardError, standardOutput } from './streams/output.ts';

/** What a mistyped option ends with, as Docker's command line does. */
const usageStatus = 125;

type GlobalValues = OptionValues<typeof globalOptions>;

/** @returns the exit status */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    return report(error);
  }
}

async function report(error: unknown): Promise<number> {
  if (error instanceof ExitStatus) {
    if (error.message) await standardError.write(`${error.message}\n`);
    return error.status;
  }
  const { describeError } = await import('./describe-error.ts');
  await standardError.write(`${describeError(error)}\n`);
  return 1;
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const page = { name: 'berth', usage: '[OPTIONS] COMMAND [ARG...]' };
  const parsed = await parseOrExplain(globalOptions, argv, page, false);
  const globals = parsed.options as GlobalValues;
  const [word, ...rest] = parsed.words;
  if (globals.version) return printShortVersion();
  if (word === undefined || parsed.help) return showMainHelp();
  if (word === 'help') return helpFor(rest, globals);
  if (word === '__complete') return printOffers(rest, globals);
  const noun = Object.hasOwn(nouns, word) ? nouns[word] : undefined;
  if (noun) return dispatchNoun(word, noun, rest, globals);
  const entry = Object.hasOwn(topCommands, word) ? topCommands[word] : undefined;
  if (!entry) throw await unknownCommand(word, [...Object.keys(topCommands), ...Object.keys(nouns)], '');
  return runCommand(word, entry, rest, globals);
}

async function dispatchNoun(word: string, noun: NounEntry, argv: string[], globals: GlobalValues): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === undefined) {
    const { nounHelp } = await import('./help-pages.ts');
    await standardError.write(nounHelp(word, noun));
    return 0;
  }
  if (verb === '--help' || verb === '-h' || verb === 'help') {
    const { nounHelp } = await import('./help-pages.ts');
    await standardOutput.write(nounHelp(word, noun));
    return 0;
  }
  const name = noun.synonyms?.[verb] ?? verb;
  const entry = Object.hasOwn(noun.verbs, name) ? noun.verbs[name] : undefined;
  if (!entry) throw await unknownCommand(verb, Object.keys(noun.verbs), `${word} `);
  return runCommand(`${word} ${verb}`, entry, rest, globals);
}

async function runCommand(name: string, entry: CommandEntry, argv: string[], globals: GlobalValues): Promise<number> {
  const { command } = await entry.load();
  const page = { name: `berth ${name}`, usage: command.usage };
  const parsed = await parseOrExplain(command.options, argv, page, !command.endsAtFirstWord);
  if (parsed.help) {
    const { showCommandHelp } = await import('./help-pages.ts');
    return showCommandHelp(name, entry, command);
  }
  await checkWords(name, command, parsed.words.length);
  const cli = await makeCli(globals);
  const status = await command.run({ cli, options: parsed.options, given: parsed.given, words: parsed.words });
  return status ?? 0;
}

async function parseOrExplain(
  table: Command['options'],
  argv: readonly string[],
  page: { name: string; usage: string },
  interspersed: boolean,
): Promise<ReturnType<typeof parseArguments>> {
  try {
    return parseArguments(table, argv, { interspersed });
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'usage') throw error;
    const usage = `\nUsage:  ${page.name} ${page.usage}\n\nRun '${page.name} --help' for more information`;
    throw new ExitStatus(usageStatus, `${error.message}\n${usage}`);
  }
}

async function checkWords(name: string, command: Command, count: number): Promise<void> {
  const { least, most } = command.words;
  if (count >= least && (most === undefined || count <= most)) return;
  const { wordCountProblem } = await import('./help-pages.ts');
  throw new ExitStatus(1, wordCountProblem(name, command));
}

/** Reads the configuration and picks the engine; nothing is connected yet. */
async function makeCli(globals: GlobalValues): Promise<Cli> {
  const environment = process.env;
  const directory = configDirectory(globals.config, environment);
  const config = await readConfigFile(directory);
  const { host, context } = await chooseHost({
    hosts: globals.host,
    context: globals.context,
    environment,
    configDirectory: directory,
    config,
  });
  const client = new Client({
    host,
    transport: bunTransport,
    apiVersion: environment['DOCKER_API_VERSION']?.replace(/^v/, ''),
    headers: config.HttpHeaders,
  });
  return { out: standardOutput, err: standardError, environment, configDirectory: directory, context, config, client };
}

async function unknownCommand(word: string, known: string[], prefix: string): Promise<ExitStatus> {
  const { unknownCommandText } = await import('./help-pages.ts');
  return new ExitStatus(1, unknownCommandText(word, known, prefix));
}

async function showMainHelp(): Promise<number> {
  const { mainHelp } = await import('./help-pages.ts');
  await standardOutput.write(await mainHelp());
  return 0;
}

async function printShortVersion(): Promise<number> {
  const { shortVersion } = await import('./version-text.ts');
  await standardOutput.write(`${shortVersion()}\n`);
  return 0;
}

/** What the shells' completion scripts ask for. */
async function printOffers(words: string[], globals: GlobalValues): Promise<number> {
  const { completionOffers } = await import('./completion/offers.ts');
  const offers = await completionOffers(words, async () => (await makeCli(globals)).client);
  await standardOutput.write(offers.map((offer) => `${offer}\n`).join(''));
  return 0;
}

/** `berth help [COMMAND…]` */
async function helpFor(words: string[], globals: GlobalValues): Promise<number> {
  const [word] = words;
  if (word === undefined) return showMainHelp();
  const noun = Object.hasOwn(nouns, word) ? nouns[word] : undefined;
  if (noun) return dispatchNoun(word, noun, [...words.slice(1), '--help'], globals);
  const entry = Object.hasOwn(topCommands, word) ? topCommands[word] : undefined;
  if (!entry) throw new ExitStatus(1, `unknown help topic: ${words.join(' ')}`);
  return runCommand(word, entry, ['--help'], globals);
}
