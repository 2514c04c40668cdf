/**
 * `.dockerignore` and the patterns of `--exclude`: https://docs.docker.com/build/concepts/context/#dockerignore-files. The last pattern that
 * matches a path, or a directory above it, decides; `!` lets back in.
 */

interface Rule {
  expression: RegExp;
  includes: boolean;
}

/** Comments and empty lines left out. */
export function parseIgnoreFile(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export class IgnoreRules {
  readonly #rules: Rule[];

  constructor(patterns: readonly string[]) {
    this.#rules = patterns.flatMap((pattern) => toRule(pattern) ?? []);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** True where nothing below an ignored directory can be let back in. */
  get isFinal(): boolean {
    return this.#rules.every(({ includes }) => !includes);
  }

  /** @param path without a leading slash */
  ignores(path: string): boolean {
    let ignored = false;
    for (const rule of this.#rules)
      if (rule.includes === ignored && matchesOrAbove(rule.expression, path)) ignored = !rule.includes;
    return ignored;
  }
}

/** A pattern that matches a directory matches everything below it. */
function matchesOrAbove(expression: RegExp, path: string): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (expression.test(path.slice(0, end))) return true;
  return false;
}

function toRule(pattern: string): Rule | null {
  const includes = pattern.startsWith('!');
  const text = clean(includes ? pattern.slice(1).trim() : pattern);
  return text === '' ? null : { expression: globExpression(text), includes };
}

function clean(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** Go's `filepath.Match` with `**` for any number of directories, as a whole. Error: `Error` `syntax error in pattern`. */
export function globExpression(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] as string;
    if (pattern.startsWith('**', at)) {
      at += 2;
      if (pattern[at] === '/') {
        at++;
        source += '(?:.*/)?';
      } else source += '.*';
    } else if (character === '*') {
      at++;
      source += '[^/]*';
    } else if (character === '?') {
      at++;
      source += '[^/]';
    } else if (character === '[') {
      const end = classEnd(pattern, at);
      source += characterClass(pattern.slice(at + 1, end));
      at = end + 1;
    } else {
      const plain = character === '\\' ? (pattern[++at] ?? '\\') : character;
      at++;
      source += plain.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch (cause) {
    throw new Error(`syntax error in pattern ${JSON.stringify(pattern)}`, { cause });
  }
}

function classEnd(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === ']' && at > start + 1) return at;
  }
  throw new Error(`syntax error in pattern ${JSON.stringify(pattern)}`);
}

function characterClass(inside: string): string {
  const negated = inside.startsWith('^');
  const rest = (negated ? inside.slice(1) : inside).replace(/[[\]^]/g, '\\$&');
  return `[${negated ? '^/' : ''}${rest}]`;
}

/** True where the text has signs of a pattern. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}
