/** What is done about a shim that does not answer: its container must not hold up the engine, and can be removed all the same. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { killTree } from '../host/process/kill-tree.ts';

/** Milliseconds within which a shim answers, on a machine that is very busy. */
const patience = 5000;

/** What the promise gives, or null where it takes longer than `patience`. */
export async function inTime<T>(work: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), patience);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Ends the shim of a container's directory, with the runtime that it runs and, where it was told, the first process; the
 * directory's `clean` does the rest.
 */
export async function endByForce(directory: string): Promise<void> {
  const first = await runningPid(directory);
  for (const pid of await processesIn(directory)) await killTree(pid);
  if (first !== null) await killTree(first);
}

/** The first process of the container as the runtime wrote it down; null: none, or it has ended. */
export async function runningPid(directory: string): Promise<number | null> {
  const text = await readFile(join(directory, 'pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (!(pid > 1)) return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat === '' || /\) [ZX] /.test(stat) ? null : pid;
}

/** A shim, and the runtime that it is about to become, have the container's directory as their own. */
async function processesIn(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) =>
      (await readlink(`/proc/${pid}/cwd`).catch(() => null)) === directory ? Number(pid) : null,
    ),
  );
  return found.filter((pid) => pid !== null);
}
