import { dlopen, FFIType } from 'bun:ffi';
import { closeSync, openSync } from 'node:fs';

const exclusiveNonBlocking = 2 | 4;

/**
 * Takes an exclusive lock (flock(2)) on a file, made where missing. The kernel frees it with the process, however that ends.
 * Gives a function that frees it earlier, or null when another process has it.
 */
export function lockFile(path: string): (() => void) | null {
  // Close-on-exec is node's default: a child must not keep the lock after the engine's death.
  const file = openSync(path, 'a', 0o600);
  const libc = dlopen('libc.so.6', { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } });
  const taken = libc.symbols.flock(file, exclusiveNonBlocking) === 0;
  libc.close();
  if (taken) return () => closeSync(file);
  closeSync(file);
  return null;
}
