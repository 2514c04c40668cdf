/** The command line: global options, the command's word, its options; then the command itself, loaded when it is known. */
import { BerthError, errorKind } from '../api/errors.ts';
import { Client } from '../client/client.ts';
import { bunTransport } from '../client/transport/bun.ts';
import type { Transport } from '../client/transport/transport.ts';
import { type Cli, type Command, ExitStatus } from './command.ts';
import { type CommandEntry, type NounEntry, nouns, topCommands, yieldingNouns } from './commands.ts';
import { type ConfigFile, configDirectory, readConfigFile } from './config/config-file.ts';
import {
  type ContextTls,
  chooseHost,
  currentContext,
  defaultHost,
  engineAddress,
  type HostChoice,
} from './config/host.ts';
import { globalOptions } from './global-options.ts';
import type { OptionValues } from './grammar/options.ts';
import { parseArguments } from './grammar/parse.ts';
import type { HostProgram } from './host-program.ts';
import type { RegistryProgram } from './registry-program.ts';
import { type Output, standardError, standardOutput } from './streams/output.ts';

/** Commands that may start this machine's engine: `autostart.ts` says when. */
const startingCommand = /^(container (run|create)|image (pull|build|load)|builder build|run|create|pull|build|load)$/;

/** Commands that no engine answers. */
const withoutEngine = /^(context|service|doctor|completion)\b/;

/** What a mistyped option ends with, as Docker's command line does. */
const usageStatus = 125;

type GlobalValues = OptionValues<typeof globalOptions>;

/** What the program stands in; tests hand in their own. */
export interface Surroundings {
  out: Output;
  err: Output;
  environment: Record<string, string | undefined>;
}

const processSurroundings: Surroundings = { out: standardOutput, err: standardError, environment: process.env };

/** Programs of the engine's side that a command may become; loaded when it does. */
export interface Programs {
  host: () => Promise<{ hostProgram: HostProgram }>;
  registry: () => Promise<{ registryProgram: RegistryProgram }>;
}

const noPrograms: Programs = {
  host: () => Promise.reject(new ExitStatus(1, 'what changes this machine is not part of this program')),
  registry: () => Promise.reject(new ExitStatus(1, 'the registry is not part of this program')),
};

/** @returns the exit status */
export async function main(
  argv: readonly string[],
  surroundings = processSurroundings,
  programs: Programs = noPrograms,
): Promise<number> {
  const program = new Program(programs, surroundings);
  try {
    return await program.dispatch(argv);
  } catch (error) {
    return program.report(error);
  }
}

class Program {
  private readonly programs: Programs;
  private readonly surroundings: Surroundings;
  private globals: GlobalValues | undefined;
  private config: Promise<ConfigFile> | undefined;

  constructor(programs: Programs, surroundings: Surroundings) {
    this.programs = programs;
    this.surroundings = surroundings;
  }

  async dispatch(argv: readonly string[]): Promise<number> {
    const page = { name: 'berth', usage: '[OPTIONS] COMMAND [ARG...]' };
    const parsed = parseOrExplain(globalOptions, argv, page, false);
    const globals = parsed.options as GlobalValues;
    this.globals = globals;
    const [word, ...rest] = parsed.words;
    if (globals.version) {
      const { shortVersion } = await import('./version-text.ts');
      return this.print(`${shortVersion()}\n`);
    }
    if (word === undefined || parsed.help) return this.showMainHelp();
    if (word === 'help') return this.help(rest);
    if (word === '__complete') return this.printOffers(rest);
    const inFront = argv.slice(0, argv.length - rest.length - 1);
    if (yieldingNouns.has(word) && (await this.hasPlugin(word))) return this.dispatchPlugin(word, inFront, rest);
    const noun = Object.hasOwn(nouns, word) ? nouns[word] : undefined;
    if (noun) return this.dispatchNoun(word, noun, rest);
    const entry = Object.hasOwn(topCommands, word) ? topCommands[word] : undefined;
    if (entry) return this.runCommand(word, entry, rest);
    return this.dispatchPlugin(word, inFront, rest);
  }

  private async hasPlugin(name: string): Promise<boolean> {
    const directory = configDirectory(this.globals?.config ?? '', this.surroundings.environment);
    const { findPlugin } = await import('./plugins/plugins.ts');
    return (await findPlugin(name, directory, await this.readConfig(directory))) !== undefined;
  }

  /** Once; the user hears of a file that cannot be read, and goes on without it. */
  private readConfig(directory: string): Promise<ConfigFile> {
    this.config ??= readConfigFile(directory, (text) => this.surroundings.err.write(text));
    return this.config;
  }

  /** A program that adds a command. @param globals what stands in front of the command's word */
  private async dispatchPlugin(word: string, globals: readonly string[], rest: readonly string[]): Promise<number> {
    const { environment } = this.surroundings;
    const directory = configDirectory(this.globals?.config ?? '', environment);
    const config = await this.readConfig(directory);
    const { findPlugin } = await import('./plugins/plugins.ts');
    const alias = config.aliases?.[word];
    const name = alias ?? word;
    const path = await findPlugin(name, directory, config);
    if (path === undefined) throw await unknownCommand(word, [...Object.keys(topCommands), ...Object.keys(nouns)], '');
    const choice = { context: this.globals?.context ?? '', environment, config };
    const isOwn = (this.globals?.host ?? []).length === 0 && currentContext(choice) === 'default';
    const { runPlugin } = await import('./plugins/run-plugin.ts');
    return await runPlugin({
      path,
      argv: [...globals, name, ...rest],
      host: isOwn ? engineAddress(environment) : undefined,
      configDirectory: directory,
    });
  }

  async report(error: unknown): Promise<number> {
    const { err } = this.surroundings;
    if (error instanceof ExitStatus) {
      if (error.message) await err.write(`${error.message}\n`);
      return error.status;
    }
    const { describeError } = await import('./describe-error.ts');
    await err.write(`${describeError(error)}\n`);
    if (this.globals?.debug && error instanceof Error && error.stack) await err.write(`${error.stack}\n`);
    return 1;
  }

  private async print(text: string): Promise<number> {
    await this.surroundings.out.write(text);
    return 0;
  }

  private async dispatchNoun(word: string, noun: NounEntry, argv: string[]): Promise<number> {
    const [verb, ...rest] = argv;
    if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
      const { nounHelp } = await import('./help-pages.ts');
      if (verb !== undefined) return this.print(nounHelp(word, noun));
      await this.surroundings.err.write(nounHelp(word, noun));
      return 0;
    }
    const name = noun.synonyms?.[verb] ?? verb;
    const entry = Object.hasOwn(noun.verbs, name) ? noun.verbs[name] : undefined;
    if (!entry) throw await unknownCommand(verb, Object.keys(noun.verbs), `${word} `);
    return this.runCommand(`${word} ${verb}`, entry, rest);
  }

  private async runCommand(name: string, entry: CommandEntry, argv: readonly string[]): Promise<number> {
    const { command } = await entry.load();
    const page = { name: `berth ${name}`, usage: command.usage };
    const parsed = parseOrExplain(command.options, argv, page, !command.endsAtFirstWord);
    if (parsed.help) {
      const { commandHelp } = await import('./help-pages.ts');
      return this.print(await commandHelp(name, entry, command));
    }
    await checkWords(name, command, parsed.words.length);
    const cli = await this.makeCli(name);
    try {
      const status = await command.run({ cli, options: parsed.options, given: parsed.given, words: parsed.words });
      return status ?? 0;
    } finally {
      cli.client.close();
    }
  }

  /** Reads the configuration and picks the engine; nothing is connected yet. @param command that is going to run */
  private async makeCli(command: string): Promise<Cli> {
    const { environment } = this.surroundings;
    const directory = configDirectory(this.globals?.config ?? '', environment);
    const config = await this.readConfig(directory);
    const choice = {
      hosts: this.globals?.host ?? [],
      context: this.globals?.context ?? '',
      environment,
      configDirectory: directory,
      config,
    };
    const { host, context, contextTls } = await chooseHost(choice).catch((error: unknown) => {
      // A context that has gone must not keep anybody from choosing another one.
      if (!withoutEngine.test(command) || errorKind(error) !== 'not-found') throw error;
      return { host: defaultHost, context: currentContext(choice), contextTls: undefined };
    });
    const client = new Client({
      host,
      transport: startingCommand.test(command)
        ? await this.chooseTransport({ ...choice, host, context })
        : bunTransport,
      tls: host.startsWith('unix://') ? undefined : await this.chooseTls(directory, contextTls),
      apiVersion: environment['DOCKER_API_VERSION']?.replace(/^v/, ''),
      headers: config.HttpHeaders,
    });
    const machine = async (): Promise<HostProgram> => (await this.programs.host()).hostProgram;
    const registry = async (): Promise<RegistryProgram> => (await this.programs.registry()).registryProgram;
    return { ...this.surroundings, configDirectory: directory, context, config, client, machine, registry };
  }

  /** One that starts this machine's engine where none answers, if that is wanted. */
  private async chooseTransport(choice: HostChoice & { host: string }): Promise<Transport> {
    const { mayStart, startingTransport } = await import('./autostart.ts');
    const { hosts, context, environment } = choice;
    const isNamed =
      hosts.length > 0 || context !== 'default' || Boolean(environment['BERTH_HOST'] || environment['DOCKER_HOST']);
    if (!mayStart({ ...choice, isNamed })) return bunTransport;
    return startingTransport(bunTransport, async () => (await this.programs.host()).hostProgram.startEngine());
  }

  private async chooseTls(configDirectory: string, contextTls: ContextTls | undefined) {
    const { chooseTls } = await import('./config/tls.ts');
    const { tls = false, tlsverify = false, tlscacert = '', tlscert = '', tlskey = '' } = this.globals ?? {};
    const flags = { tls, tlsverify, tlscacert, tlscert, tlskey };
    return await chooseTls({ flags, environment: this.surroundings.environment, configDirectory, contextTls });
  }

  private async showMainHelp(): Promise<number> {
    const { mainHelp } = await import('./help-pages.ts');
    const { listPlugins } = await import('./plugins/plugins.ts');
    const directory = configDirectory(this.globals?.config ?? '', this.surroundings.environment);
    return this.print(await mainHelp(await listPlugins(directory, await this.readConfig(directory))));
  }

  /** What the shells' completion scripts ask for. */
  private async printOffers(words: readonly string[]): Promise<number> {
    const { completionOffers } = await import('./completion/offers.ts');
    const offers = await completionOffers(words, async () => (await this.makeCli('')).client);
    return this.print(offers.map((offer) => `${offer}\n`).join(''));
  }

  /** `berth help [COMMAND…]` */
  private help(words: readonly string[]): Promise<number> {
    const [word] = words;
    if (word === undefined) return this.showMainHelp();
    const noun = Object.hasOwn(nouns, word) ? nouns[word] : undefined;
    if (noun) return this.dispatchNoun(word, noun, [...words.slice(1), '--help']);
    const entry = Object.hasOwn(topCommands, word) ? topCommands[word] : undefined;
    if (entry) return this.runCommand(word, entry, ['--help']);
    return this.dispatchPlugin(word, [], [...words.slice(1), '--help']);
  }
}

/** Error: exit status 125 with the command's usage line. */
function parseOrExplain(
  table: Command['options'],
  argv: readonly string[],
  page: { name: string; usage: string },
  interspersed: boolean,
): ReturnType<typeof parseArguments> {
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

async function unknownCommand(word: string, known: string[], prefix: string): Promise<ExitStatus> {
  const { unknownCommandText } = await import('./help-pages.ts');
  return new ExitStatus(1, unknownCommandText(word, known, prefix));
}
