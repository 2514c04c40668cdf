import { selfCommand } from './self.ts';

/** The environment variable of JavaScriptCore's option for the memory that it may reckon with, in bytes. */
export const reckonedMemoryVariable = 'BUN_JSC_forceRAMSize';
/** At 64 MiB what passes by the engine by the gigabyte (`save`) costs it 2.75 s of collecting, at 96 1.5 s; at 128 1.0, but 7 MB of memory more. */
export const reckonedMemory = 96 * 1024 * 1024;

/**
 * Starts the program again, once, with a collector that reckons with little memory: it otherwise lets garbage grow with the
 * machine's memory, which a program that only waits for others has no use for. Same process id, same open files; whoever sets the
 * option keeps what he set. The program's own children do not inherit it. Sockets that a service manager opened would not survive
 * the second start: its unit sets the option itself.
 */
export function keepHeapSmall(): void {
  if (process.env[reckonedMemoryVariable] !== undefined) {
    delete process.env[reckonedMemoryVariable];
    return;
  }
  if (process.env['LISTEN_FDS'] !== undefined) return;
  const [program, ...own] = selfCommand();
  if (program === undefined) return;
  process.execve?.(program, [program, ...own, ...process.argv.slice(2)], {
    ...process.env,
    [reckonedMemoryVariable]: String(reckonedMemory),
  });
}
