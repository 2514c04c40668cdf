/** What the lines of a Dockerfile say, typed; nothing is expanded yet. */
import type { Heredoc } from './heredoc.ts';
import type { SourceRange } from './source-error.ts';

/** `sh -c` text, or words that are run as they are. */
export type CommandLine = { form: 'shell'; text: string } | { form: 'exec'; words: string[] };

interface Common {
  range: SourceRange;
  /** The line as written, continuations joined. */
  text: string;
  /** The instruction's name as written. */
  word: string;
  /** What stands above it in comments. */
  comments: readonly string[];
}

/** Flags by name; those that may be given more than once have several values. */
export type Flags = ReadonlyMap<string, readonly string[]>;

export interface ArgInstruction extends Common {
  kind: 'arg';
  /** A value of null: declared without one. */
  pairs: { name: string; value: string | null }[];
}

export interface FromInstruction extends Common {
  kind: 'from';
  base: string;
  /** Lower case; empty: no name. */
  name: string;
  platform: string;
  /** `AS` and the name as written; null: no name. */
  written: { as: string; name: string } | null;
}

export interface CopyInstruction extends Common {
  kind: 'copy' | 'add';
  flags: Flags;
  /** As written, here-documents left out. */
  sources: string[];
  destination: string;
  heredocs: Heredoc[];
}

export interface RunInstruction extends Common {
  kind: 'run';
  flags: Flags;
  command: CommandLine;
  heredocs: Heredoc[];
}

export interface HealthcheckInstruction extends Common {
  kind: 'healthcheck';
  flags: Flags;
  /** Null: NONE. */
  command: CommandLine | null;
}

/** One type for each kind, all of the same shape. */
type Kinds<K extends string, Shape> = { [Kind in K]: Common & Shape & { kind: Kind } }[K];

export type Instruction =
  | ArgInstruction
  | FromInstruction
  | CopyInstruction
  | RunInstruction
  | HealthcheckInstruction
  /** `legacy`: `NAME value` instead of `NAME=value`. */
  | Kinds<'env' | 'label', { pairs: { name: string; value: string; legacy: boolean }[] }>
  | Kinds<'cmd' | 'entrypoint', { command: CommandLine }>
  | Kinds<'expose' | 'volume' | 'shell', { words: string[] }>
  | Kinds<'workdir' | 'user' | 'stopsignal' | 'maintainer', { value: string }>
  | Kinds<'onbuild', { trigger: string; instruction: string }>;
