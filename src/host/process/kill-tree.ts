import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** How often descendants are ended alone, in the hope that their parents wait for them. */
const gentleRounds = 3;
/** Milliseconds that a parent gets for that, and between two looks. */
const reapTime = 50;
const lookAgain = 5;

/**
 * Ends a process and everything that descends from it. The descendants go first, so that each one's parent can reap it: in a pid namespace
 * whose first process reaps nobody they would stay as zombies. What is left after that, or comes anew, is halted and ended together.
 */
export async function killTree(pid: number): Promise<void> {
  for (let round = 0; round < gentleRounds; round++) {
    const below = (await treeOf(pid)).slice(1);
    if (below.length === 0) break;
    for (const member of below.reverse()) send(member, 'SIGKILL');
    const end = performance.now() + reapTime;
    while (performance.now() < end && (await treeOf(pid)).some((member) => below.includes(member)))
      await delay(lookAgain);
  }
  for (const member of await treeOf(pid, (halted) => send(halted, 'SIGSTOP'))) send(member, 'SIGKILL');
}

/** The process and all below it, parents first. @param visit called before the children of a process are looked for */
async function treeOf(pid: number, visit: (pid: number) => void = () => {}): Promise<number[]> {
  const tree = [pid];
  for (const member of tree) {
    visit(member);
    tree.push(...(await childrenOf(member)));
  }
  return tree;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Processes that have this one for a parent; each thread has children of its own. None where it has ended. */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.join(' ').split(' ').filter(Boolean).map(Number);
}
