/** The tree of a Go template (https://pkg.go.dev/text/template), as far as `--format` has it. */

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'output'; pipe: Pipeline }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipeline; body: Node[]; otherwise: Node[] }
  | { kind: 'break' | 'continue' };

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
  /** `.A.B`, `$x.A`, `(pipe).A`: `from` absent means the dot. */
  | { kind: 'chain'; from?: Operand; fields: string[]; source: string }
  | { kind: 'variable'; name: string }
  | { kind: 'function'; name: string }
  | { kind: 'pipe'; pipe: Pipeline };
