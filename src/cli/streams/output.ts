/**
 * Standard output and error of the executable. `Bun.write` is used because it costs nothing at the start of the program, writes all
 * bytes even where the descriptor was left non-blocking by somebody, and does not change the descriptor that others share.
 */

export interface Output {
  /** Resolves once the bytes are written; a reader that is slow holds the caller up. */
  write(data: string | Uint8Array): Promise<void>;
}

/** What a shell reports of a program whose reader has gone (128 + SIGPIPE). */
const brokenPipeStatus = 141;

function outputOn(file: () => Bun.BunFile): Output {
  return {
    async write(data) {
      if (data.length === 0) return;
      try {
        await Bun.write(file(), data);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(brokenPipeStatus);
        throw error;
      }
    },
  };
}

export const standardOutput: Output = outputOn(() => Bun.stdout);
export const standardError: Output = outputOn(() => Bun.stderr);
