/** The terminal at the three standard descriptors. Its module is loaded only where a command asks: it costs 3 ms of start. */

export interface TerminalSize {
  columns: number;
  rows: number;
}

export async function isTerminal(descriptor: 0 | 1 | 2): Promise<boolean> {
  const { isatty } = await import('node:tty');
  return isatty(descriptor);
}

/** The size of the first of output, error and input that is a terminal; undefined where none is, or it does not say. */
export async function terminalSize(): Promise<TerminalSize | undefined> {
  const tty = await import('node:tty');
  for (const descriptor of [1, 2, 0]) {
    if (!tty.isatty(descriptor)) continue;
    const [columns, rows] = new tty.WriteStream(descriptor).getWindowSize();
    if (columns > 0 && rows > 0) return { columns, rows };
  }
  return undefined;
}
