import { BerthError, type ErrorKind } from '../../api/errors.ts';

/** Lines of a Dockerfile, counted from 1, both ends included. */
export interface SourceRange {
  first: number;
  last: number;
  /** Where on the first line, its indentation left out, the trouble stands, counted from 0, for a caret. */
  column?: number;
}

/** A Dockerfile as it came, with the name that errors give it. */
export interface DockerfileSource {
  name: string;
  text: string;
}

/** What is wrong with a Dockerfile, or what went wrong in one of its steps, and where. */
export class DockerfileError extends BerthError {
  readonly range: SourceRange;

  /** @param options.kind `invalid` unless it is the fault of something else than the text */
  constructor(message: string, range: SourceRange, options: { kind?: ErrorKind; hint?: string; cause?: unknown } = {}) {
    const { kind = 'invalid', ...rest } = options;
    super(kind, message, { ...rest, code: 'dockerfile' });
    this.range = range;
  }
}

/** An error of the parser itself, which BuildKit prefixes so. */
export function parseError(message: string, range: SourceRange, hint?: string): DockerfileError {
  return new DockerfileError(
    `dockerfile parse error on line ${range.first}: ${message}`,
    range,
    hint === undefined ? {} : { hint },
  );
}

const rule = '--------------------';

/**
 * The lines around an error as BuildKit prints them, with a caret below the first marked line where the column is known:
 * file and line, the lines with `>>>` before the ones that are meant.
 */
export function excerpt(source: DockerfileSource, range: SourceRange): string {
  const lines = source.text.split('\n');
  const first = Math.max(1, range.first - 2);
  const last = Math.min(Math.max(lines.length, 1), range.last + 2);
  const width = Math.max(4, String(last).length);
  const shown = [`${source.name}:${range.first}`, rule];
  for (let number = first; number <= last; number++) {
    const line = (lines[number - 1] ?? '').replace(/\r$/, '');
    const marked = number >= range.first && number <= range.last;
    shown.push(`${String(number).padStart(width)} | ${marked ? '>>> ' : '    '}${line}`.trimEnd());
    if (number === range.first && range.column !== undefined)
      shown.push(`${' '.repeat(width)} |     ${beforeColumn(line, range.column)}^`);
  }
  return [...shown, rule].join('\n');
}

/** As wide as what stands before the column, tabs included. */
function beforeColumn(line: string, column: number): string {
  const indent = line.length - line.trimStart().length;
  return line.slice(0, indent + column).replace(/\S/g, ' ');
}
