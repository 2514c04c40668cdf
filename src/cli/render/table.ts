/** Columns as Docker draws them: at least ten wide, three blanks between, the last one as long as it is. */

const minimumWidth = 10;
const padding = 3;

/** @param rows cells; the header first. Each line ends with a newline. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (let column = 0; column < row.length - 1; column++)
      widths[column] = Math.max(widths[column] ?? minimumWidth, width(row[column] as string) + padding);
  let text = '';
  for (const row of rows) {
    for (let column = 0; column < row.length - 1; column++) {
      const cell = row[column] as string;
      text += cell + ' '.repeat((widths[column] as number) - width(cell));
    }
    text += `${row.at(-1) ?? ''}\n`;
  }
  return text;
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return [...text].length;
  return text.length;
}
