import { DockerfileError, parseError, type SourceRange } from './source-error.ts';

/** Words of ENV, LABEL and ARG: blanks outside of quotes part them; quotes and escapes stay for the expansion. */
function words(text: string, escapeSign: string): string[] {
  const found: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (quote === '' && /\s/.test(character)) {
      if (word !== '') found.push(word);
      word = '';
      continue;
    }
    word += character;
    if (character === escapeSign && quote !== "'") {
      // An escape sign at the end is nobody's.
      if (at + 1 < text.length) word += text[++at];
      else word = word.slice(0, -1);
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
    } else if (character === quote) {
      quote = '';
    }
  }
  if (word !== '') found.push(word);
  return found;
}

/** `key=value …`, or the old form `key the whole rest`. Error: `DockerfileError`. */
function read(
  name: string,
  text: string,
  { escapeSign, range }: { escapeSign: string; range: SourceRange },
): { name: string; value: string; legacy: boolean }[] {
  const found = words(text, escapeSign);
  const first = found[0];
  if (first === undefined) return [];
  if (!first.includes('=')) {
    const rest = text.slice(text.search(/\s/) + 1).trim();
    if (found.length < 2) throw new DockerfileError(`${name} must have two arguments`, range);
    return [{ name: first, value: rest, legacy: true }];
  }
  return found.map((word) => {
    const separator = word.indexOf('=');
    if (separator < 0)
      throw new DockerfileError(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
        range,
      );
    if (separator === 0) throw parseError(`${name} names can not be blank`, range);
    return { name: word.slice(0, separator), value: word.slice(separator + 1), legacy: false };
  });
}

export const valuePairs = { words, read };
