/**
 * A Dockerfile's text as logical lines, by BuildKit's rules: directives first, comments, continuations and here-documents
 * (https://docs.docker.com/reference/dockerfile/).
 */

import { type Heredoc, heredocsOf } from './heredoc.ts';
import { DockerfileError, parseError, type SourceRange } from './source-error.ts';

/** Settings that stand in comments above everything else. */
export interface Directives {
  syntax?: string;
  /** `\` or a backtick. */
  escapeSign: string;
  check?: string;
}

export interface LogicalLine {
  /** Continuations joined, comments and here-documents taken out. */
  text: string;
  range: SourceRange;
  heredocs: Heredoc[];
  /** What stands above it in comments, since the last instruction or empty comment. */
  comments: string[];
  /** The line that an empty one within a continuation leads to, for a warning; null: there is none. */
  emptyContinuation: number | null;
}

const directivePattern = /^#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*$/;
const knownDirectives: ReadonlySet<string> = new Set(['syntax', 'escape', 'check']);

/** Instructions whose lines may carry here-documents. */
const withHeredocs = /^(?:onbuild[ \t]+)?(?:add|copy|run)\b/i;

/** What the directives of a text say. Error: `DockerfileError` for one given twice or wrongly. */
export function directivesOf(text: string): Directives {
  return readDirectives(text.replace(/^\uFEFF/, '').split(/\r?\n/));
}

/** Error: `DockerfileError` for a directive given twice or wrongly, and for a here-document without an end. */
export function splitLines(text: string): { directives: Directives; lines: LogicalLine[] } {
  const raw = text.replace(/^\uFEFF/, '').split('\n');
  if (raw.at(-1) === '') raw.pop();
  const rows = raw.map((line) => line.replace(/\r$/, ''));
  const zero = rows.findIndex((row) => row.includes('\0'));
  if (zero >= 0)
    throw parseError('the line has a NUL byte', { first: zero + 1, last: zero + 1 }, 'A Dockerfile is UTF-8 text.');
  const directives = readDirectives(rows);
  return { directives, lines: new LineReader({ rows, raw }, directives.escapeSign).read() };
}

function readDirectives(rows: readonly string[]): Directives {
  const found = new Map<string, string>();
  for (const [index, row] of rows.entries()) {
    const match = directivePattern.exec(row.trimStart());
    if (!match) break;
    const [, key = '', value = ''] = match;
    const name = key.toLowerCase();
    if (!knownDirectives.has(name)) continue;
    const range = { first: index + 1, last: index + 1 };
    if (found.has(name)) throw parseError(`only one ${name} parser directive can be used`, range);
    if (name === 'escape' && value !== '\\' && value !== '`')
      throw parseError(`invalid ESCAPE '${value}' does not match \` or \\`, range);
    found.set(name, value);
  }
  const syntax = found.get('syntax');
  const check = found.get('check');
  return {
    escapeSign: found.get('escape') ?? '\\',
    ...(syntax !== undefined && { syntax }),
    ...(check !== undefined && { check }),
  };
}

class LineReader {
  readonly #rows: readonly string[];
  /** The same with the carriage returns at their ends, which here-documents keep. */
  readonly #raw: readonly string[];
  readonly #escapeSign: string;
  #next = 0;
  #comments: string[] = [];

  constructor({ rows, raw }: { rows: readonly string[]; raw: readonly string[] }, escapeSign: string) {
    this.#rows = rows;
    this.#raw = raw;
    this.#escapeSign = escapeSign;
  }

  read(): LogicalLine[] {
    const lines: LogicalLine[] = [];
    while (this.#next < this.#rows.length) {
      const line = this.#logicalLine();
      if (line) lines.push(line);
    }
    return lines;
  }

  #logicalLine(): LogicalLine | null {
    const first = this.#next + 1;
    const head = (this.#rows[this.#next++] as string).trimStart();
    if (head.startsWith('#')) {
      this.#comment(head);
      return null;
    }
    let { text, goesOn } = this.#cut(head);
    if (!goesOn && text.trim() === '') return null;
    let emptyContinuation = false;
    while (goesOn && this.#next < this.#rows.length) {
      const row = this.#rows[this.#next++] as string;
      const bare = row.trimStart();
      // Comments and empty lines within a continuation are passed over.
      emptyContinuation ||= bare === '';
      if (bare === '' || bare.startsWith('#')) continue;
      const part = this.#cut(row);
      text += part.text;
      goesOn = part.goesOn;
    }
    if (text.trim() === '') return null;
    const last = this.#next;
    const heredocs = withHeredocs.test(text) ? this.#heredocs(text, first) : [];
    const comments = this.#comments;
    this.#comments = [];
    return {
      text: text.trim(),
      range: { first, last: this.#next },
      heredocs,
      comments,
      emptyContinuation: emptyContinuation ? last : null,
    };
  }

  /** Directives and empty ones part what belongs to an instruction from what does not. */
  #comment(head: string): void {
    const text = head.slice(1).trim();
    if (text === '' || knownDirectives.has((directivePattern.exec(head)?.[1] ?? '').toLowerCase())) this.#comments = [];
    else this.#comments.push(text);
  }

  /** An escape sign at the end of a line, with nothing but blanks behind it, goes on; a doubled one does not. */
  #cut(row: string): { text: string; goesOn: boolean } {
    const trimmed = row.replace(/[ \t]+$/, '');
    const escapes = trimmed.endsWith(this.#escapeSign) && !trimmed.slice(0, -1).endsWith(this.#escapeSign);
    return escapes ? { text: trimmed.slice(0, -1), goesOn: true } : { text: row, goesOn: false };
  }

  #heredocs(text: string, first: number): Heredoc[] {
    return heredocsOf(text).map((heredoc) => {
      const content: string[] = [];
      for (;;) {
        const row = this.#rows[this.#next];
        const raw = this.#raw[this.#next];
        if (row === undefined || raw === undefined)
          throw new DockerfileError('unterminated heredoc', { first, last: this.#next });
        this.#next++;
        if ((heredoc.chomp ? row.replace(/^\t+/, '') : row) === heredoc.name) break;
        content.push(heredoc.chomp ? raw.replace(/^\t+/, '') : raw);
      }
      return { ...heredoc, content: content.map((row) => `${row}\n`).join('') };
    });
  }
}
