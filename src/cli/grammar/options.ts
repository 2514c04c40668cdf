/** What a command says about its options: parser, help, completion and reference pages all come out of these tables. */

/**
 * - `bool`: alone it means true; `--rm=false`
 * - `string`, `int`, `uint16`, `bytes` (`512m`), `duration` (`1m30s`, to nanoseconds), `decimal` (CPUs, to 10^-9 of them): the last one counts
 * - `list`: may be repeated, each value as it is; `csv`: may be repeated, and each value is a comma separated list
 */
export type OptionKind = 'bool' | 'string' | 'int' | 'uint16' | 'bytes' | 'duration' | 'decimal' | 'list' | 'csv';

export interface Option {
  kind: OptionKind;
  /** One letter. */
  short?: string;
  /** The word for the value in the help; the kind's own by default. */
  value?: string;
  /** What holds when the option is not given: shown in the help, and parsed like a value. */
  default?: string;
  /** The value of the option when it is given without one (`--pull` of `--pull[=always]`). */
  alone?: string;
  /** Shown in the help as the default, where nothing is to be parsed. */
  shownDefault?: string;
  /** Parsed, but not in the help: old names and things that have no effect here. */
  hidden?: boolean;
  /** Known by name, and why it cannot be given. */
  refused?: string;
  /** One line, no full stop. */
  help: string;
  /** What the shell offers for the value. */
  complete?: Completion;
  /** Looks at a value as it is parsed; gives what is kept. Throws with Docker's words for a bad one. */
  check?: (text: string) => string;
}

/** Where a shell finds the words to offer. */
export type Completion =
  | 'containers'
  | 'all-containers'
  | 'images'
  | 'networks'
  | 'volumes'
  | 'files'
  | readonly string[];

export type OptionTable = Readonly<Record<string, Option>>;

type ValueOf<Kind extends OptionKind> = Kind extends 'bool'
  ? boolean
  : Kind extends 'list' | 'csv'
    ? string[]
    : Kind extends 'string'
      ? string
      : number;

/** The parsed options of a table. Absent ones have their default, or `false`, `0`, `''`, `[]`. */
export type OptionValues<Table extends OptionTable> = { [Name in keyof Table]: ValueOf<Table[Name]['kind']> };

/** Keeps the literal kinds of a table while checking its shape. */
export function defineOptions<const Table extends OptionTable>(table: Table): Table {
  return table;
}

/** The word that the help shows for a value. */
export function valueWord(option: Option): string {
  if (option.value !== undefined) return option.value;
  if (option.kind === 'bool') return '';
  return option.kind === 'csv' ? 'strings' : option.kind;
}
