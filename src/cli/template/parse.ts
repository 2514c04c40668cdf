/** Template text to tree. */
import type { Command, Node, Operand, Pipeline, Templates } from './syntax.ts';

/** Error: `TemplateError`. */
export function parseTemplate(text: string, functions: ReadonlySet<string>): Templates {
  return new Parser(splitActions(text), functions).parse();
}

interface Piece {
  kind: 'text' | 'action';
  text: string;
  where: string;
}

/** What is wrong with a template; `phase` tells whether its text or its run. */
export class TemplateError extends Error {
  readonly phase: 'parse' | 'execute';

  constructor(phase: 'parse' | 'execute', where: string, message: string) {
    super(`template: :${where}: ${message}`);
    this.phase = phase;
  }
}

/** Of a text that cannot be read Go tells the line. */
function templateError(where: string, message: string): TemplateError {
  return new TemplateError('parse', where.split(':')[0] as string, message);
}

/** Text and actions; `{{-` and `-}}` eat the blanks beside them; comments are gone. */
function splitActions(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  const line = (index: number): string => String(text.slice(0, index).split('\n').length);
  const pushText = (raw: string, trimEnd: boolean): void => {
    let part = trimNext ? raw.replace(/^[ \t\r\n]+/, '') : raw;
    if (trimEnd) part = part.replace(/[ \t\r\n]+$/, '');
    if (part) pieces.push({ kind: 'text', text: part, where: line(at) });
  };
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) {
      pushText(text.slice(at), false);
      return pieces;
    }
    const trimsBefore = /^\{\{-[ \t\r\n]/.test(text.slice(open, open + 4));
    pushText(text.slice(at, open), trimsBefore);
    const start = open + (trimsBefore ? 3 : 2);
    const comment = /^\s*\/\*[\s\S]*?\*\/\s*(?:-?\}\})/.exec(text.slice(start));
    const end = comment ? start + comment[0].length - 2 : actionEnd(text, start);
    if (end < 0) throw templateError(line(open), 'unclosed action');
    trimNext = /[ \t\r\n]-$/.test(text.slice(start, end));
    const body = trimNext ? text.slice(start, end - 1) : text.slice(start, end);
    const column = open - text.lastIndexOf('\n', open) - 1;
    if (!comment) pieces.push({ kind: 'action', text: body, where: `${line(open)}:${column + 2}` });
    at = end + 2;
  }
}

/** Index of the `}}` that is in no string. */
function actionEnd(text: string, from: number): number {
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const character = text[at] as string;
    if (quote) {
      if (character === '\\' && quote !== '`') at++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === '`' || character === "'") quote = character;
    else if (character === '}' && text[at + 1] === '}') return at;
  }
  return -1;
}

type Token = {
  kind: 'string' | 'number' | 'word' | 'field' | 'variable' | 'mark';
  text: string;
  /** A blank stands before it. */
  spaced: boolean;
  /** Index in the action's text. */
  at: number;
};

const tokenPattern =
  /(\s+)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\]|\\.)+')|([+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|(\.[A-Za-z_]\w*)|(\$\w*)|([A-Za-z_]\w*)|(:=|[|()=,.])/y;

function tokenize(text: string, where: string): Token[] {
  const tokens: Token[] = [];
  let spaced = true;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (!match) throw templateError(where, `unexpected ${JSON.stringify(text[at])} in operand`);
    const [whole, blank, quoted, rune, number, field, variable, word] = match;
    if (blank !== undefined) {
      spaced = true;
      continue;
    }
    const kind =
      quoted !== undefined
        ? 'string'
        : rune !== undefined || number !== undefined
          ? 'number'
          : field !== undefined
            ? 'field'
            : variable !== undefined
              ? 'variable'
              : word !== undefined
                ? 'word'
                : 'mark';
    tokens.push({ kind, text: whole, spaced, at });
    spaced = false;
  }
  return tokens;
}

type Control = 'if' | 'with' | 'range';

class Parser {
  private readonly pieces: Piece[];
  private readonly functions: ReadonlySet<string>;
  private readonly defined = new Map<string, Node[]>();
  private at = 0;
  /** Lists that the next action is in, `define` not counted. */
  private depth = 0;
  /** Loops that the next action is in. */
  private loops = 0;
  private variables = ['$'];

  constructor(pieces: Piece[], functions: ReadonlySet<string>) {
    this.pieces = pieces;
    this.functions = functions;
  }

  parse(): Templates {
    const { nodes, stop } = this.list();
    if (stop) throw templateError(stop.where, `unexpected {{${stop.word}}}`);
    return { main: nodes, defined: this.defined };
  }

  /** Nodes up to the end, or to the `end` or `else` that closes the list. */
  private list(): { nodes: Node[]; stop?: { word: string; rest: string; where: string } } {
    const nodes: Node[] = [];
    while (this.at < this.pieces.length) {
      const piece = this.pieces[this.at++] as Piece;
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const match = /^\s*(\w*)\s*([\s\S]*)$/.exec(piece.text) as RegExpExecArray;
      const [, word, rest] = match as unknown as [string, string, string];
      if (word === 'end' || word === 'else') return { nodes, stop: { word, rest: rest.trim(), where: piece.where } };
      if (word === 'if' || word === 'with' || word === 'range') nodes.push(this.block(word, rest, piece.where));
      else if (word === 'break' || word === 'continue') nodes.push(this.leave(word, rest.trim(), piece.where));
      else if (word === 'define') this.define(rest, piece.where);
      else if (word === 'template' || word === 'block') nodes.push(this.call(word, piece));
      else nodes.push({ kind: 'output', pipe: this.pipeline(piece.text, piece.where, 'command') });
    }
    return { nodes };
  }

  private leave(kind: 'break' | 'continue', rest: string, where: string): Node {
    if (rest !== '') throw templateError(where, `unexpected ${JSON.stringify(rest)} in {{${kind}}}`);
    if (this.loops === 0) throw templateError(where, `{{${kind}}} outside {{range}}`);
    return { kind };
  }

  private block(kind: Control, source: string, where: string): Node {
    const scope = this.variables.length;
    this.depth++;
    const pipe = this.pipeline(source, where, kind);
    if (kind === 'range') this.loops++;
    const { nodes: body, stop } = this.list();
    if (kind === 'range') this.loops--;
    if (!stop) throw templateError(where, 'unexpected EOF');
    const otherwise = stop.word === 'end' ? [] : this.otherwise(kind, stop.rest, stop.where);
    this.depth--;
    this.variables.length = scope;
    return { kind, pipe, body, otherwise };
  }

  /** What follows `else`: of the same kind without a list of its own, or a list. */
  private otherwise(kind: Control, rest: string, where: string): Node[] {
    const [, chained = '', source = ''] = /^(\w+)([\s\S]*)$/.exec(rest) ?? [];
    if (chained === kind && kind !== 'range') return [this.block(kind, source, where)];
    if (rest !== '') throw templateError(where, `unexpected <${chained || rest}> in input`);
    const { nodes, stop } = this.list();
    if (!stop) throw templateError(where, 'unexpected EOF');
    if (stop.word !== 'end') throw templateError(stop.where, `expected end; found {{${stop.word}}}`);
    return nodes;
  }

  /** `{{define "name"}}…{{end}}`, at the top alone. */
  private define(source: string, where: string): void {
    if (this.depth > 0) throw templateError(where, 'unexpected <define> in command');
    const { name, rest } = this.name(source, where, 'define');
    if (rest.trim() !== '') throw templateError(where, `unexpected ${JSON.stringify(rest.trim())} in define clause`);
    this.own(name, where);
  }

  /** `{{template "name" pipe}}`; `{{block "name" pipe}}…{{end}}` defines it as well. */
  private call(word: 'template' | 'block', { text, where }: Piece): Node {
    const head = /^\s*\w*\s*/.exec(text)?.[0].length ?? 0;
    const { name, rest } = this.name(text.slice(head), where, word);
    if (word === 'block' && rest.trim() === '') throw templateError(where, 'missing value for block clause');
    const pipe = rest.trim() === '' ? null : this.pipeline(rest, where, word);
    if (word === 'block') this.own(name, where);
    const [line, column] = where.split(':');
    const at = `${line}:${Number(column) + head}`;
    return { kind: 'template', name, pipe, source: `{{template${text.trim().slice(word.length)}}}`, where: at };
  }

  private name(source: string, where: string, clause: string): { name: string; rest: string } {
    const [whole, quoted] = /^\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)/.exec(source) ?? [];
    if (whole === undefined || quoted === undefined) {
      const [word = '}}'] = source
        .trim()
        .split(/\s/)
        .filter((part) => part !== '');
      throw templateError(where, `unexpected ${JSON.stringify(word)} in ${clause} clause`);
    }
    return { name: unquote(quoted), rest: source.slice(whole.length) };
  }

  /** The nodes up to `end` as a template that knows nothing of what is around it. */
  private own(name: string, where: string): void {
    const { depth, loops, variables } = this;
    this.depth = 0;
    this.loops = 0;
    this.variables = ['$'];
    const { nodes, stop } = this.list();
    if (stop?.word !== 'end') throw templateError(where, stop ? `unexpected {{${stop.word}}}` : 'unexpected EOF');
    this.depth = depth;
    this.loops = loops;
    this.variables = variables;
    if (this.defined.has(name))
      throw templateError(where, `template: multiple definition of template ${JSON.stringify(name)}`);
    this.defined.set(name, nodes);
  }

  private pipeline(source: string, where: string, context: string): Pipeline {
    const tokens = tokenize(source, where);
    if (tokens.length === 0) throw templateError(where, `missing value for ${context}`);
    const reader = new PipelineReader(tokens, { source, where, functions: this.functions, known: this.variables });
    const pipe = reader.pipeline();
    reader.finish(context);
    return pipe;
  }
}

class PipelineReader {
  private readonly tokens: Token[];
  private readonly text: string;
  private readonly where: string;
  private readonly functions: ReadonlySet<string>;
  /** Variables that there are; a declaration adds its own. */
  private readonly known: string[];
  private at = 0;

  constructor(
    tokens: Token[],
    about: { source: string; where: string; functions: ReadonlySet<string>; known: string[] },
  ) {
    this.tokens = tokens;
    this.text = about.source;
    this.where = about.where;
    this.functions = about.functions;
    this.known = about.known;
  }

  pipeline(): Pipeline {
    const { variables, declares } = this.declaration();
    const stages: Command[] = [this.command()];
    while (this.mark('|')) stages.push(this.command());
    return { variables, declares, stages, where: this.where };
  }

  finish(context: string): void {
    const token = this.tokens[this.at];
    if (token) throw templateError(this.where, `unexpected ${JSON.stringify(token.text)} in ${context}`);
  }

  private mark(text: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== 'mark' || token.text !== text) return false;
    this.at++;
    return true;
  }

  private declaration(): { variables: string[]; declares: boolean } {
    const start = this.at;
    const variables: string[] = [];
    while (this.tokens[this.at]?.kind === 'variable') {
      variables.push((this.tokens[this.at++] as Token).text);
      if (!this.mark(',')) break;
    }
    if (variables.length > 0 && this.mark(':=')) {
      this.known.push(...variables);
      return { variables, declares: true };
    }
    if (variables.length > 0 && this.mark('=')) {
      for (const name of variables) this.variable(name);
      return { variables, declares: false };
    }
    this.at = start;
    return { variables: [], declares: true };
  }

  /** Error: one that nothing has declared. */
  private variable(name: string): string {
    if (!this.known.includes(name)) throw templateError(this.where, `undefined variable "${name}"`);
    return name;
  }

  private command(): Command {
    const operands: Operand[] = [];
    const first = this.tokens[this.at];
    for (;;) {
      const token = this.tokens[this.at];
      if (!token || (token.kind === 'mark' && (token.text === '|' || token.text === ')'))) break;
      operands.push(this.operand());
    }
    const [head, ...rest] = operands;
    const last = this.tokens[this.at - 1];
    if (!head || !first || !last) throw templateError(this.where, 'missing value for command');
    if (head.kind !== 'function') return operands;
    return [{ ...head, source: this.text.slice(first.at, last.at + last.text.length), at: first.at }, ...rest];
  }

  private operand(): Operand {
    const start = this.at;
    const base = this.term();
    const fields: string[] = [];
    const at = this.tokens[this.at]?.at ?? 0;
    while (this.tokens[this.at]?.kind === 'field' && !this.tokens[this.at]?.spaced)
      fields.push((this.tokens[this.at++] as Token).text.slice(1));
    if (fields.length === 0) return base;
    if (base.kind === 'chain') return { ...base, fields: [...base.fields, ...fields], source: this.source(start), at };
    return { kind: 'chain', from: base, fields, source: this.source(start), at };
  }

  private source(start: number): string {
    return this.tokens
      .slice(start, this.at)
      .map((token) => token.text)
      .join('');
  }

  private term(): Operand {
    const token = this.tokens[this.at++] as Token;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: unquote(token.text) };
      case 'number':
        return { kind: 'literal', value: readNumber(token.text) };
      case 'field':
        return { kind: 'chain', fields: [token.text.slice(1)], source: token.text, at: token.at };
      case 'variable':
        return { kind: 'variable', name: this.variable(token.text) };
      case 'word':
        return this.word(token);
      default:
        if (token.text === '.') return { kind: 'dot' };
        if (token.text !== '(') throw templateError(this.where, `unexpected ${JSON.stringify(token.text)} in operand`);
    }
    const pipe = this.pipeline();
    if (!this.mark(')')) throw templateError(this.where, 'unclosed left paren');
    return { kind: 'pipe', pipe };
  }

  private word({ text, at }: Token): Operand {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
    if (text === 'nil') return { kind: 'literal', value: null };
    if (!this.functions.has(text)) throw templateError(this.where, `function ${JSON.stringify(text)} not defined`);
    return { kind: 'function', name: text, source: text, at };
  }
}

function readNumber(text: string): number | bigint {
  if (text.startsWith("'")) return unquote(text).codePointAt(0) ?? 0;
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unquote(text: string): string {
  const body = text.slice(1, -1);
  if (text.startsWith('`')) return body;
  return body.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_whole, code: string) => {
    if (/^[xuU]/.test(code) && code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    if (code.length === 3) return String.fromCodePoint(Number.parseInt(code, 8));
    return escapes[code] ?? code;
  });
}
