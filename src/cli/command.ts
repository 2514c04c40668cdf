import type { Client } from '../client/client.ts';
import type { ConfigFile } from './config/config-file.ts';
import type { Completion, OptionTable, OptionValues } from './grammar/options.ts';
import type { HostProgram } from './host-program.ts';
import type { RegistryProgram } from './registry-program.ts';
import type { Output } from './streams/output.ts';

/** What a command may use; tests hand in their own. */
export interface Cli {
  readonly out: Output;
  readonly err: Output;
  readonly environment: Record<string, string | undefined>;
  readonly configDirectory: string;
  /** The chosen context's name. */
  readonly context: string;
  readonly config: ConfigFile;
  /** Connected at the first request. */
  readonly client: Client;
  /** What changes this machine, or looks at it. */
  readonly machine: () => Promise<HostProgram>;
  /** The program behind `berth registry`. */
  readonly registry: () => Promise<RegistryProgram>;
}

export interface Invocation<Table extends OptionTable> {
  cli: Cli;
  options: OptionValues<Table>;
  /** Names of the options that were given. */
  given: ReadonlySet<string>;
  words: string[];
}

export interface Command<Table extends OptionTable = OptionTable> {
  /** What follows the name: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  usage: string;
  options: Table;
  /** How many words it takes; `most` absent: any number. */
  words: { least: number; most?: number };
  /** What the shell offers for the words. */
  complete?: Completion;
  /** The first word ends the options: what follows belongs to a program in the container. */
  endsAtFirstWord?: boolean;
  /** Gives the exit status; 0 when it gives nothing. */
  run(invocation: Invocation<Table>): Promise<number | undefined>;
}

/** Checks a command's shape and forgets its table's type, so that commands of all tables stand in one index. */
export function defineCommand<const Table extends OptionTable>(command: Command<Table>): Command {
  return command as unknown as Command;
}

/** Ends the program with a status of its own; the message goes to standard error. An empty message prints nothing. */
export class ExitStatus extends Error {
  readonly status: number;

  constructor(status: number, message = '') {
    super(message);
    this.status = status;
  }
}
