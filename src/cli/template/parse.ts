/** Template text to tree. */
import type { Command, Node, Operand, Pipeline } from './syntax.ts';

/** Error: `TemplateError`. */
export function parseTemplate(text: string, functions: ReadonlySet<string>): Node[] {
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

function templateError(where: string, message: string): TemplateError {
  return new TemplateError('parse', where, message);
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

class Parser {
  private readonly pieces: Piece[];
  private readonly functions: ReadonlySet<string>;
  private at = 0;

  constructor(pieces: Piece[], functions: ReadonlySet<string>) {
    this.pieces = pieces;
    this.functions = functions;
  }

  parse(): Node[] {
    const { nodes, stop } = this.list();
    if (stop) throw templateError(stop.where, `unexpected {{${stop.word}}}`);
    return nodes;
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
      else if (word === 'break' || word === 'continue') nodes.push({ kind: word });
      else if (word === 'define' || word === 'template' || word === 'block')
        throw templateError(piece.where, `{{${word}}} is not supported`);
      else nodes.push({ kind: 'output', pipe: this.pipeline(piece.text, piece.where, 'command') });
    }
    return { nodes };
  }

  private block(kind: 'if' | 'with' | 'range', source: string, where: string): Node {
    const pipe = this.pipeline(source, where, kind);
    const { nodes: body, stop } = this.list();
    if (!stop) throw templateError(where, 'unexpected EOF');
    if (stop.word === 'end') return { kind, pipe, body, otherwise: [] };
    const chained = /^(if|with)\b([\s\S]*)$/.exec(stop.rest);
    if (chained)
      return {
        kind,
        pipe,
        body,
        otherwise: [this.block(chained[1] as 'if' | 'with', chained[2] as string, stop.where)],
      };
    const otherwise = this.list();
    if (otherwise.stop?.word !== 'end') throw templateError(where, 'expected end; found EOF or {{else}}');
    return { kind, pipe, body, otherwise: otherwise.nodes };
  }

  private pipeline(source: string, where: string, context: string): Pipeline {
    const tokens = tokenize(source, where);
    const reader = new PipelineReader(tokens, where, this.functions);
    const pipe = reader.pipeline();
    reader.finish(context);
    return pipe;
  }
}

class PipelineReader {
  private readonly tokens: Token[];
  private readonly where: string;
  private readonly functions: ReadonlySet<string>;
  private at = 0;

  constructor(tokens: Token[], where: string, functions: ReadonlySet<string>) {
    this.tokens = tokens;
    this.where = where;
    this.functions = functions;
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
    if (variables.length > 0 && this.mark(':=')) return { variables, declares: true };
    if (variables.length > 0 && this.mark('=')) return { variables, declares: false };
    this.at = start;
    return { variables: [], declares: true };
  }

  private command(): Command {
    const operands: Operand[] = [];
    for (;;) {
      const token = this.tokens[this.at];
      if (!token || (token.kind === 'mark' && (token.text === '|' || token.text === ')'))) break;
      operands.push(this.operand());
    }
    if (operands.length === 0) throw templateError(this.where, 'missing value for command');
    return operands;
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
        return { kind: 'variable', name: token.text };
      case 'word':
        return this.word(token.text);
      default:
        if (token.text === '.') return { kind: 'dot' };
        if (token.text !== '(') throw templateError(this.where, `unexpected ${JSON.stringify(token.text)} in operand`);
    }
    const pipe = this.pipeline();
    if (!this.mark(')')) throw templateError(this.where, 'unclosed left paren');
    return { kind: 'pipe', pipe };
  }

  private word(text: string): Operand {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
    if (text === 'nil') return { kind: 'literal', value: null };
    if (!this.functions.has(text))
      throw templateError(this.where.split(':')[0] as string, `function ${JSON.stringify(text)} not defined`);
    return { kind: 'function', name: text };
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
