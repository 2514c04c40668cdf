/** The tree of a Go template (https://pkg.go.dev/text/template), as far as `--format` has it. */

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'output'; pipe: Pipeline }
  | Block
  /** `{{template "name" pipe}}`: another list of nodes with the pipe's value as its dot; `source` and `where` for errors. */
  | { kind: 'template'; name: string; pipe: Pipeline | null; source: string; where: string }
  | { kind: 'break' }
  | { kind: 'continue' };

/** A template's own nodes, and those of the templates that it defines. */
export interface Templates {
  main: Node[];
  defined: ReadonlyMap<string, Node[]>;
}

/** `$x := a | b "c"` */
export interface Pipeline {
  /** Variables that it sets; two only in `range`. */
  variables: string[];
  /** True for `:=`, false for `=`. */
  declares: boolean;
  stages: Command[];
  /** Line and column, for errors. */
  where: string;
}

/** A function or method with its arguments, or a single operand. */
export type Command = Operand[];

export type Operand =
  | { kind: 'literal'; value: string | number | bigint | boolean | null }
  | { kind: 'dot' }
  /** `.A.B`, `$x.A`, `(pipe).A`: `from` absent means the dot; `at` is where Go says that it stands (the second name, if there is one). */
  | { kind: 'chain'; from?: Operand; fields: string[]; source: string; at: number }
  | { kind: 'variable'; name: string }
  /** `source` is the command that begins with it, `at` where that stands in the action. */
  | { kind: 'function'; name: string; source: string; at: number }
  | { kind: 'pipe'; pipe: Pipeline };

/** What has a body, and another one for when its value is empty. */
export interface Block {
  kind: 'if' | 'with' | 'range';
  pipe: Pipeline;
  body: Node[];
  otherwise: Node[];
}
