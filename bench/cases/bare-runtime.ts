/** The yardstick that leaves out every engine: the OCI runtime alone on the bundle that Berth made. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contenders, state } from '../contenders.ts';
import { Shell } from '../shell.ts';
import { median } from '../statistics.ts';

/** Median milliseconds of `crun run` for the bundle of `berth run busybox true`, root file system already there. */
export async function bareRuntime({ berth, berthRoot }: Contenders, runs: number): Promise<number> {
  const bundle = join(state, 'bundle');
  const { output: id } = await berth.shell.must(`${berth.client} run -d busybox sleep 1000000`);
  rmSync(bundle, { recursive: true, force: true });
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  cpSync(join(berthRoot, 'run/containers', id, 'config.json'), join(bundle, 'config.json'));
  await berth.shell.must(`${berth.client} rm -f ${id}`);
  const config: { process: { args: string[] }; mounts: { source?: string; destination: string }[]; linux: object } =
    JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
  config.process.args = ['true'];
  // The files of the container are gone with it; the runtime's work on them is three bind mounts.
  for (const mount of config.mounts) {
    if (!mount.source?.includes(id)) continue;
    mount.source = join(bundle, mount.destination.replaceAll('/', '_'));
    writeFileSync(mount.source, '');
  }
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config).replaceAll(id, 'berth-bench-bare'));
  await berth.shell.must(`tar -C ${bundle}/rootfs -xf ${state}/busybox.tar`);
  const shell = new Shell(['unshare', '--mount', '--propagation', 'private', 'bash']);
  await shell.must(
    'if [ -d /sys/fs/cgroup/memory ] && ! mountpoint -q /sys/fs/cgroup/hugetlb; then mkdir -p /sys/fs/cgroup/hugetlb; mount -t cgroup -o hugetlb cgroup /sys/fs/cgroup/hugetlb; fi',
  );
  const times: number[] = [];
  for (let run = -2; run < runs; run++) {
    const { milliseconds } = await shell.must(`crun --root ${state}/bare run --bundle ${bundle} bench-bare`);
    if (run >= 0) times.push(milliseconds);
  }
  await shell.close();
  return median(times);
}
