import { fileURLToPath } from 'node:url';

/** True in the executable that `bun build --compile` makes; its modules live in Bun's virtual file system. */
const isCompiled = import.meta.url.includes('/$bunfs/');

/** The argv prefix that starts this same program again: the executable, or Bun with the source's entry point. */
export function selfCommand(): string[] {
  if (isCompiled) return [process.execPath];
  return [process.execPath, fileURLToPath(new URL('../../bin/berth.ts', import.meta.url))];
}
