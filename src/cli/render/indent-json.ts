/**
 * Lays JSON text out over lines without reading its values: numbers and escapes stay as the engine wrote them.
 * @param indent of each level
 * @param prefix of each line but the first
 */
export function indentJson(text: string, indent: string, prefix = ''): string {
  let result = '';
  let depth = 0;
  const newLine = (): void => {
    result += `\n${prefix}${indent.repeat(depth)}`;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '"') {
      const end = stringEnd(text, at);
      result += text.slice(at, end);
      at = end - 1;
    } else if (character === '{' || character === '[') {
      const close = /^\s*([}\]])/.exec(text.slice(at + 1, at + 40));
      result += character;
      if (close) {
        result += close[1];
        at += close[0].length;
        continue;
      }
      depth++;
      newLine();
    } else if (character === '}' || character === ']') {
      depth--;
      newLine();
      result += character;
    } else if (character === ',') {
      result += ',';
      newLine();
    } else if (character === ':') result += ': ';
    else if (!/\s/.test(character)) result += character;
  }
  return result;
}

/** Index behind the string's closing quote. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
