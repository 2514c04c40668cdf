/** The known word that is nearest to a mistyped one. */

/** Edits (insert, drop, replace, swap neighbours) between two words; stops counting above the limit. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let best = Math.min(
        (rows[i - 1]?.[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (rows[i - 1]?.[j - 1] as number) + same,
      );
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) best = Math.min(best, (rows[i - 2]?.[j - 2] as number) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[from.length]?.[to.length] as number;
}

/** Known words within two edits (one for short words), or that begin with the word; the nearest first, at most three. */
export function nearestWords(word: string, known: Iterable<string>): string[] {
  const limit = word.length <= 3 ? 1 : 2;
  const scored: { candidate: string; score: number }[] = [];
  for (const candidate of known) {
    const score = distance(word.toLowerCase(), candidate);
    if (score <= limit) scored.push({ candidate, score });
    else if (word.length >= 2 && candidate.startsWith(word)) scored.push({ candidate, score: limit + 1 });
  }
  return scored
    .sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
