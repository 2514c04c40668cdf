import { until } from './until.ts';

/** Pid of the shim of a container's first process. Right after the start the OCI runtime may still stand between the two. */
export async function shimOf(pid: number): Promise<number> {
  return await until(`the shim of ${pid}`, async () => {
    const parent = Number((await Bun.file(`/proc/${pid}/status`).text()).match(/PPid:\s+(\d+)/)?.[1]);
    return /shim/.test(await Bun.file(`/proc/${parent}/cmdline`).text()) ? parent : null;
  });
}
