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

/** Every key goes to the reader as it is typed, every byte to the screen as it is. Gives the function that puts the terminal back. */
export async function rawMode(): Promise<() => void> {
  const { ReadStream } = await import('node:tty');
  const input = new ReadStream(0);
  input.setRawMode(true);
  await outputAsItIs();
  return () => {
    input.setRawMode(false);
  };
}

/**
 * Turns off what the terminal does to output (termios(3), OPOST). The runtime's raw mode makes a carriage return out of every line
 * feed, which a program in a container means for "one line down, same column"; the container's own terminal has done it already.
 */
async function outputAsItIs(): Promise<void> {
  const { dlopen, FFIType, ptr } = await import('bun:ffi');
  const { symbols, close } = dlopen('libc.so.6', {
    tcgetattr: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
    tcsetattr: { args: [FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  });
  // struct termios: c_iflag, c_oflag, …; 60 bytes with glibc. OPOST is bit 0 of c_oflag.
  const settings = new Uint32Array(32);
  if (symbols.tcgetattr(0, ptr(settings)) === 0) {
    settings[1] = ((settings[1] ?? 0) & ~1) >>> 0;
    symbols.tcsetattr(0, 0, ptr(settings));
  }
  close();
}

/** Tells the size now and after each change. Gives the function that stops it. */
export async function watchSize(tell: (size: TerminalSize) => Promise<void>): Promise<() => void> {
  const update = async (): Promise<void> => {
    const size = await terminalSize();
    // A container that has just ended has no terminal any more, and one that is starting has none yet; the next change tells again.
    if (size) await tell(size).catch(() => undefined);
  };
  await update();
  const onChange = (): void => void update();
  process.on('SIGWINCH', onChange);
  return () => {
    process.off('SIGWINCH', onChange);
  };
}

/** What is typed or piped in. */
export function standardInput(): AsyncIterable<Uint8Array> {
  return Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>;
}
