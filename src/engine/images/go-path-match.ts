/**
 * Go's path.Match (https://pkg.go.dev/path#Match), which Docker's `reference` filter uses: `*` and `?` stop at a slash, `[a-z]` and
 * `[^a-z]` are classes, a backslash takes the next character as it is. Null: the pattern is malformed.
 */
export function goPathMatch(pattern: string, name: string): boolean | null {
  const expression = translate(pattern);
  return expression === null ? null : expression.test(name);
}

function translate(pattern: string): RegExp | null {
  let source = '';
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string;
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = classEnd(characters, index);
      if (end < 0) return null;
      const body = characters.slice(index + 1, end).join('');
      const negated = body.startsWith('^');
      source += `(?!/)[${negated ? '^' : ''}${body.slice(negated ? 1 : 0).replace(/[[\]^&|~]/g, '\\$&')}]`;
      index = end;
    } else if (character === '\\') {
      const next = characters[++index];
      if (next === undefined) return null;
      source += literal(next);
    } else source += literal(character);
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return null; // a range the wrong way round, for example
  }
}

function classEnd(characters: string[], start: number): number {
  for (let index = start + 1; index < characters.length; index++) {
    if (characters[index] === '\\') index++;
    else if (characters[index] === ']' && index > start + 1) return index;
  }
  return -1;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
