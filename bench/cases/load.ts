/** How long a Debian image takes from a tar on disk into each engine, cold cache, with everything on disk at the end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const runs = 5;

export async function loadCases({ berth, dockerd, podman }: Contenders): Promise<Row[]> {
  const archive = join(state, 'debian.tar');
  if (!existsSync(archive)) {
    await berth.shell.must(`${berth.client} image bootstrap debian >/dev/null`);
    await berth.shell.must(`${berth.client} save -o ${archive} debian`);
  }
  const all = [berth, dockerd, podman];
  const times: number[][] = all.map(() => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, { shell, client }] of all.entries()) {
      // Every name of it: an image that stays would make the load an easy one.
      await shell.run(`${client} rmi -f debian:latest debian:bookworm >/dev/null 2>&1`);
      await berth.shell.must('sync; echo 3 > /proc/sys/vm/drop_caches');
      const { milliseconds } = await shell.must(`${client} load -q -i ${archive} >/dev/null && sync`);
      times[index]?.push(milliseconds);
    }
  }
  const [ours, docker, pod] = times.map(median) as [number, number, number];
  return [
    {
      name: '`load` of a Debian image, cold cache, sync included',
      unit: 'ms',
      berth: ours,
      dockerd: docker,
      podman: pod,
      target: [{ of: 'dockerd', atMost: 0.6 }],
      runs,
    },
  ];
}
