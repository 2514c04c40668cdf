/** Columns as Docker draws them: at least ten wide, three blanks between, the last one as long as it is. */

const minimumWidth = 10;
const padding = 3;

/** @param rows cells; the header first. Each line ends with a newline. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  // Characters count, not UTF-16 units; nearly every table has ASCII alone. Everything stands in the loops because a function that is called
  // for each cell gets compiled, and the compiler's thread costs a tenth of the program's start.
  const isPlain = rows.map((row) => !/[^\0-\x7f]/.test(row.join('')));
  for (const [line, row] of rows.entries()) {
    for (let column = 0; column < row.length - 1; column++) {
      const cell = row[column] as string;
      const needed = (isPlain[line] ? cell.length : [...cell].length) + padding;
      if (needed > (widths[column] ?? minimumWidth)) widths[column] = needed;
      else widths[column] ??= minimumWidth;
    }
  }
  let text = '';
  for (const [line, row] of rows.entries()) {
    for (let column = 0; column < row.length - 1; column++) {
      const cell = row[column] as string;
      text += cell + ' '.repeat((widths[column] as number) - (isPlain[line] ? cell.length : [...cell].length));
    }
    text += `${row.at(-1) ?? ''}\n`;
  }
  return text;
}
