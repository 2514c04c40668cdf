/** More changed letters than this make another word. */
const farthest = 2;

/** The one of the known words that somebody may have meant, or nothing; a word that is known itself was meant. */
export function closest(word: string, known: readonly string[], options: { ignoreCase?: boolean } = {}): string {
  const shown = (text: string): string => (options.ignoreCase ? text.toLowerCase() : text);
  let best = '';
  let least = farthest + 1;
  for (const candidate of known) {
    const distance = editDistance(shown(word), shown(candidate));
    if (distance === 0) return '';
    if (distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** ` (did you mean X?)`, or nothing; in any case of letters. */
export function suggestion(word: string, known: readonly string[]): string {
  const found = closest(word, known, { ignoreCase: true });
  return found === '' ? '' : ` (did you mean ${found}?)`;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[right.length] as number;
}
