import { readdir, readFile } from 'node:fs/promises';

/**
 * Ends a process and everything that descends from it. Each one is halted before its children are looked for, so that none has
 * more of them meanwhile.
 */
export async function killTree(pid: number): Promise<void> {
  const tree = [pid];
  for (const member of tree) {
    send(member, 'SIGSTOP');
    tree.push(...(await childrenOf(member)));
  }
  for (const member of tree) send(member, 'SIGKILL');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Each thread has children of its own. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.join(' ').split(' ').filter(Boolean).map(Number);
}
