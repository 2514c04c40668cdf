/** Whether there is a process of this id, which the caller may signal: the engine may signal everybody. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH, as nothing is forbidden to the engine.
    return false;
  }
}
