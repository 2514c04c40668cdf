/** The `*` and `?` patterns of `${name#pattern}` and its kin. */

/** @param greedy the longest match is removed, otherwise the shortest */
export function removePrefix(value: string, pattern: string, greedy: boolean): string {
  const match = new RegExp(`^(?:${expression(pattern, greedy)})`, 's').exec(value);
  return match ? value.slice(match[0].length) : value;
}

export function removeSuffix(value: string, pattern: string, greedy: boolean): string {
  const whole = new RegExp(`^(?:${expression(pattern, true)})$`, 's');
  // The start of the shortest match is the last one that fits, of the longest the first.
  for (let step = 0; step <= value.length; step++) {
    const start = greedy ? step : value.length - step;
    if (whole.test(value.slice(start))) return value.slice(0, start);
  }
  return value;
}

export function replacePattern(
  value: string,
  { pattern, replacement, all }: { pattern: string; replacement: string; all: boolean },
): string {
  if (pattern === '') return value;
  return value.replace(new RegExp(expression(pattern, true), all ? 'gs' : 's'), () => replacement);
}

function expression(pattern: string, greedy: boolean): string {
  let result = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] as string;
    if (character === '*') result += greedy ? '.*' : '.*?';
    else if (character === '?') result += '.';
    else if (character === '\\') result += literal(pattern[++index] ?? '\\');
    else result += literal(character);
  }
  return result;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
