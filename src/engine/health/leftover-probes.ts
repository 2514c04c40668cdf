import { readFile } from 'node:fs/promises';
import { childrenOf, killTree } from '../../host/process/kill-tree.ts';

/**
 * Ends the probes that an engine began before it died: nobody waits for them any more, and one that hangs would stay for ever. They are
 * children of the container's shim, as its first process is, and known by their command.
 * @param pid of the container's first process
 */
export async function endLeftoverProbes(pid: number, command: readonly string[]): Promise<void> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const shim = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
  if (shim <= 1) return;
  const wanted = command.map((word) => `${word}\0`).join('');
  for (const child of await childrenOf(shim)) {
    // One that has ended meanwhile has no command line any more.
    const words = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (child !== pid && words === wanted) await killTree(child);
  }
}
