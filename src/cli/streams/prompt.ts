/** Questions to the user, and secrets from standard input. */
import { rawMode, standardInput } from './terminal.ts';

/** All of standard input as text. */
export async function readAllInput(): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of standardInput()) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}

/** One line from the terminal; without echo the terminal is raw meanwhile. Ctrl-C and ctrl-d end the program. */
export async function readLine(options: { echo: boolean }): Promise<string> {
  const restore = options.echo ? undefined : await rawMode();
  // A character may come in two pieces.
  const decoder = new TextDecoder();
  let line = '';
  try {
    for await (const bytes of standardInput()) {
      for (const character of decoder.decode(bytes, { stream: true })) {
        if (character === '\r' || character === '\n') return line;
        if (character === '\x03' || character === '\x04') {
          restore?.();
          process.exit(130);
        }
        line = character === '\x7f' || character === '\b' ? [...line].slice(0, -1).join('') : line + character;
      }
    }
    return line;
  } finally {
    restore?.();
  }
}
