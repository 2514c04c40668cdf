/** Milliseconds between two looks. */
const interval = 5000;
/** Share of a processor below which the engine counts as idle. */
const idleShare = 0.02;

/**
 * Gives memory back after a burst: once the engine has worked and then is idle, its garbage is collected, all of it. A collection
 * under load would hold up clients, and the collector alone waits for more garbage that an idle engine does not make.
 */
export function collectWhenIdle(): void {
  let before = process.cpuUsage();
  let worked = true;
  setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const isIdle = (user + system) / 1000 < interval * idleShare;
    if (isIdle && worked) Bun.gc(true);
    worked = !isIdle;
  }, interval).unref();
}
