/** Runs a template on a value. */
import { functionNames, templateFunctions } from './functions.ts';
import { parseTemplate, TemplateError } from './parse.ts';
import { goTypeName, isObject, isTrue, printValue } from './print.ts';
import type { Block, Command, Node, Operand, Pipeline, Templates } from './syntax.ts';

export interface Template {
  /** Error: `TemplateError`. */
  execute(value: unknown, options?: ExecuteOptions): string;
}

export interface ExecuteOptions {
  /** The message about a field that the top value lacks. */
  missingField?: (name: string) => string;
  /** What a field prints that is null, or that a map lacks; undefined for a field that nobody knows. */
  zeroText?: (field: string, object?: object) => string | undefined;
  /** How maps and lists print, where it is not as Go prints those of a JSON text. */
  printObject?: (value: unknown) => string;
  /** Functions give their first operand back: a table's header keeps its words. */
  forHeader?: boolean;
}

export { TemplateError } from './parse.ts';

/** Error: `TemplateError` for what is no template. Keys that a map lacks are errors when a template runs. */
export function compileTemplate(source: string): Template {
  const templates = parseTemplate(source, functionNames);
  return { execute: (value, options = {}) => new Execution(value, options, templates.defined).run(templates.main) };
}

/** Docker's shell-friendly escapes in `--format`. */
export function unescapeFormat(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/** Docker's own functions, which leave a header alone. */
const headerFunctions = new Set(['json', 'split', 'join', 'title', 'lower', 'upper', 'pad', 'truncate']);

/** Templates that run one within the other, at most: fewer than Go's 100,000, as many as a stack bears. */
const mostTemplates = 1000;

/** `break` and `continue` on their way to their loop. */
class LoopSignal {
  readonly kind: 'break' | 'continue';
  constructor(kind: 'break' | 'continue') {
    this.kind = kind;
  }
}

class Execution {
  private dot: unknown;
  private output = '';
  /** The innermost last. */
  private readonly variables: { name: string; value: unknown }[];

  private readonly options: ExecuteOptions;
  private readonly defined: Templates['defined'];
  /** Templates that run one within the other. */
  private depth = 0;

  constructor(value: unknown, options: ExecuteOptions, defined: Templates['defined']) {
    this.options = options;
    this.defined = defined;
    this.dot = value;
    this.variables = [{ name: '$', value }];
  }

  run(nodes: readonly Node[]): string {
    this.walk(nodes);
    return this.output;
  }

  private walk(nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (node.kind === 'text') this.output += node.text;
      else if (node.kind === 'output') {
        const value = this.evaluate(node.pipe);
        if (node.pipe.variables.length === 0) this.output += this.print(value, node.pipe);
      } else if (node.kind === 'break' || node.kind === 'continue') throw new LoopSignal(node.kind);
      else if (node.kind === 'template') this.template(node);
      else {
        const block = node;
        this.scoped(() => (block.kind === 'range' ? this.range(block) : this.branch(block)));
      }
    }
  }

  private print(value: unknown, { stages }: Pipeline): string {
    const { zeroText, printObject } = this.options;
    if (printObject && typeof value === 'object' && value !== null) return printObject(value);
    const [operand, ...more] = stages[0] ?? [];
    if (value !== null || !zeroText || stages.length > 1 || more.length > 0 || operand?.kind !== 'chain')
      return printValue(value);
    return zeroText(operand.fields.at(-1) ?? '') ?? printValue(value);
  }

  /** Variables that are declared inside end there; so does another dot. */
  private scoped(action: () => void): void {
    const mark = this.variables.length;
    const dot = this.dot;
    try {
      action();
    } finally {
      this.variables.length = mark;
      this.dot = dot;
    }
  }

  /** A template that is named sees the value that it is given, and no variable. */
  private template({ name, pipe, source, where }: Extract<Node, { kind: 'template' }>): void {
    const nodes = this.defined.get(name);
    if (!nodes) throw executionError(where, source, `template ${JSON.stringify(name)} not defined`);
    if (this.depth === mostTemplates)
      throw executionError(where, source, `exceeded maximum template depth (${mostTemplates})`);
    const value = pipe ? this.evaluate(pipe) : null;
    const { dot } = this;
    const outer = this.variables.splice(0, this.variables.length, { name: '$', value });
    this.dot = value;
    this.depth++;
    try {
      this.walk(nodes);
    } catch (error) {
      // The innermost template is the one that is told.
      if (error instanceof TemplateError) error.message = error.message.replace('executing ""', `executing "${name}"`);
      throw error;
    } finally {
      this.depth--;
      this.dot = dot;
      this.variables.splice(0, this.variables.length, ...outer);
    }
  }

  private branch(node: Block): void {
    const value = this.evaluate(node.pipe);
    if (!isTrue(value)) {
      this.walk(node.otherwise);
      return;
    }
    if (node.kind === 'with') this.dot = value;
    this.walk(node.body);
  }

  private range(node: Block): void {
    const value = this.evaluate({ ...node.pipe, variables: [] });
    const entries = rangeEntries(value, node.pipe.where);
    if (entries.length === 0) this.walk(node.otherwise);
    const [first, second] = node.pipe.variables;
    for (const [key, item] of entries) {
      let stop = false;
      this.scoped(() => {
        this.dot = item;
        if (first && second) this.assign([first, key], [second, item]);
        else if (first) this.assign([first, item]);
        try {
          this.walk(node.body);
        } catch (signal) {
          if (!(signal instanceof LoopSignal)) throw signal;
          stop = signal.kind === 'break';
        }
      });
      if (stop) return;
    }
  }

  private assign(...pairs: [string, unknown][]): void {
    for (const [name, value] of pairs) this.variables.push({ name, value });
  }

  private evaluate(pipe: Pipeline): unknown {
    let value: unknown;
    pipe.stages.forEach((command, index) => {
      value = index === 0 ? this.command(command, pipe.where, []) : this.command(command, pipe.where, [value]);
    });
    for (const name of pipe.variables) {
      if (pipe.declares) this.variables.push({ name, value });
      else this.variable(name, pipe.where).value = value;
    }
    return value;
  }

  private command(command: Command, where: string, piped: unknown[]): unknown {
    const [head, ...rest] = command as [Operand, ...Operand[]];
    if (head.kind === 'function') {
      if (head.name === 'and' || head.name === 'or') return this.shortCircuit(head.name, rest, piped, where);
      if (head.name === 'call') return this.call(head, rest, piped, where);
      const values = [...rest.map((operand) => this.operand(operand, where)), ...piped];
      if (this.options.forHeader && headerFunctions.has(head.name)) return values[0];
      try {
        return (templateFunctions[head.name] as (...all: unknown[]) => unknown)(...values);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw executionError(shift(where, head.at), head.source, `error calling ${head.name}: ${reason}`);
      }
    }
    const values = [...rest.map((operand) => this.operand(operand, where)), ...piped];
    if (head.kind === 'chain') return this.chain(head, where, values);
    if (values.length > 0) throw executionError(where, '', "can't give argument to non-function");
    return this.operand(head, where);
  }

  /** No value of Docker's is a function: what is called is told. */
  private call(
    { source, at }: Extract<Operand, { kind: 'function' }>,
    [operand]: Operand[],
    piped: unknown[],
    where: string,
  ): never {
    const fail = (message: string): never => {
      throw executionError(shift(where, at), source, message);
    };
    if (!operand && piped.length === 0) return fail('wrong number of args for call: want at least 1 got 0');
    const value = operand ? this.operand(operand, where) : piped[0];
    if (value === null || value === undefined) return fail('error calling call: call of nil');
    const shown = operand?.kind === 'chain' ? operand.source : printValue(value);
    return fail(`error calling call: non-function ${shown} of type ${goTypeName(value)}`);
  }

  /** Operands behind the one that decides are not looked at. */
  private shortCircuit(name: 'and' | 'or', operands: Operand[], piped: unknown[], where: string): unknown {
    let value: unknown;
    for (const operand of operands) {
      value = this.operand(operand, where);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  private operand(operand: Operand, where: string): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return this.dot;
      case 'variable':
        return this.variable(operand.name, where).value;
      case 'pipe':
        return this.evaluate(operand.pipe);
      case 'function':
        return this.command([operand], where, []);
      case 'chain':
        return this.chain(operand, where, []);
    }
  }

  private variable(name: string, where: string): { name: string; value: unknown } {
    const found = this.variables.findLast((variable) => variable.name === name);
    if (!found) throw new TemplateError('parse', where.split(':')[0] as string, `undefined variable "${name}"`);
    return found;
  }

  private chain(operand: Extract<Operand, { kind: 'chain' }>, where: string, values: unknown[]): unknown {
    let value = operand.from ? this.operand(operand.from, where) : this.dot;
    operand.fields.forEach((field, index) => {
      const last = index === operand.fields.length - 1;
      value = readField(value, field, last ? values : [], {
        where: shift(where, operand.at),
        source: operand.source,
        missing: value === this.variables[0]?.value ? this.options.missingField : undefined,
        zeroText: this.options.zeroText,
      });
    });
    return value;
  }
}

/** A place in an action: `line:column` of its beginning, moved on. */
function shift(where: string, by: number): string {
  const [line, column] = where.split(':');
  return `${line}:${Number(column) + by}`;
}

function readField(
  value: unknown,
  field: string,
  values: unknown[],
  place: {
    where: string;
    source: string;
    missing?: ((name: string) => string) | undefined;
    zeroText?: ExecuteOptions['zeroText'] | undefined;
  },
): unknown {
  if (isObject(value) && field in value && !(field in Object.prototype)) {
    const found = value[field];
    if (typeof found === 'function') return (found as (...all: unknown[]) => unknown).apply(value, values);
    if (values.length > 0)
      throw executionError(place.where, place.source, `${field} is not a method but has arguments`);
    return found;
  }
  const zero = isObject(value) ? place.zeroText?.(field, value) : undefined;
  if (zero !== undefined) return zero === '' ? '' : null;
  if (isObject(value) && place.missing) throw executionError(place.where, place.source, place.missing(field));
  if (isObject(value))
    throw executionError(place.where, place.source, `map has no entry for key ${JSON.stringify(field)}`);
  if (value === null || value === undefined)
    throw executionError(place.where, place.source, `nil pointer evaluating interface {}.${field}`);
  throw executionError(place.where, place.source, `can't evaluate field ${field} in type ${goTypeName(value)}`);
}

function rangeEntries(value: unknown, where: string): [unknown, unknown][] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (isObject(value))
    return Object.keys(value)
      .sort()
      .map((key) => [key, value[key]]);
  if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index]);
  throw executionError(where, '', `range can't iterate over ${printValue(value)}`);
}

function executionError(where: string, source: string, message: string): TemplateError {
  return new TemplateError('execute', where, `executing "" at <${source}>: ${message}`);
}
