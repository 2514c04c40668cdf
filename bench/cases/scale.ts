/** Many containers: a hundred started by ten clients at once, five hundred alive, all removed. */
import { readdirSync, readlinkSync } from 'node:fs';
import type { Contender, Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const clients = 10;
const runs = 3;

/** Seconds that ten clients at once take to start `count` containers between them. */
async function startMany({ shell, client }: Contender, count: number): Promise<number> {
  const each = Math.ceil(count / clients);
  const one = `for i in $(seq ${each}); do ${client} run -d --name bench-$c-$i busybox sleep 1000000 >/dev/null || echo failed; done`;
  const { milliseconds, output } = await shell.must(`for c in $(seq ${clients}); do (${one}) & done; wait`);
  if (output !== '') throw new Error(`a start failed:\n${output}`);
  return milliseconds / 1000;
}

async function removeAll({ shell, client }: Contender): Promise<number> {
  const { output } = await shell.must(`${client} ps -aq | tr '\\n' ' '`);
  return output === '' ? 0 : (await shell.must(`${client} rm -f ${output} >/dev/null`)).milliseconds / 1000;
}

function isOnBridge(link: string): boolean {
  try {
    return readlinkSync(`/sys/class/net/${link}/master`).endsWith('/berthbench');
  } catch {
    // It has no master, or is gone.
    return false;
  }
}

/** What is left of containers in the kernel and below the exec root, by name. */
function leftovers(berthRoot: string): string[] {
  const list = (path: string): string[] => {
    try {
      return readdirSync(path);
    } catch {
      // Not there, so nothing below it.
      return [];
    }
  };
  const cgroups = list('/sys/fs/cgroup').flatMap((controller) => [
    ...list(`/sys/fs/cgroup/${controller}/berth-bench`).filter((name) => /^[0-9a-f]{64}$/.test(name)),
  ]);
  return [
    ...cgroups.map((name) => `cgroup ${name}`),
    ...list(`${berthRoot}/run/containers`).map((name) => `bundle ${name}`),
    ...list(`${berthRoot}/data/containers`).map((name) => `files ${name}`),
    ...list('/sys/class/net')
      .filter((name) => isOnBridge(name))
      .map((name) => `interface ${name}`),
  ];
}

export async function scaleCases({ berth, dockerd, berthRoot }: Contenders): Promise<Row[]> {
  // Podman's `rm -f` waits ten seconds for each `sleep`: it is not asked.
  const all = [berth, dockerd];
  for (const contender of all) await removeAll(contender);
  const starts = all.map((): number[] => []);
  const removals = all.map((): number[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, contender] of all.entries()) {
      starts[index]?.push(await startMany(contender, 100));
      removals[index]?.push(await removeAll(contender));
    }
  }
  const [started, dockerStarted] = starts.map(median) as [number, number];
  const [removed, dockerRemoved] = removals.map(median) as [number, number];

  const fiveHundred = await startMany(berth, 500);
  const lists: number[] = [];
  for (let run = 0; run < 15; run++) {
    const { output } = await berth.shell.must(`${berth.client} ps -q | wc -l`);
    if (Number(output) !== 500) throw new Error(`${output} containers run, not 500`);
    if (run > 0) lists.push((await berth.shell.must(`${berth.client} ps >/dev/null`)).milliseconds);
  }
  const removedAll = await removeAll(berth);
  let left = leftovers(berthRoot);
  for (let wait = 0; left.length > 0 && wait < 100; wait++) {
    await Bun.sleep(50);
    left = leftovers(berthRoot);
  }
  if (left.length > 0) throw new Error(`left behind by 500 containers: ${left.slice(0, 10).join(', ')}`);
  const peers = { unit: 's' as const, runs };
  return [
    {
      name: '100 containers (`sleep`) started by ten clients at once',
      ...peers,
      berth: started,
      dockerd: dockerStarted,
      target: [{ of: 'dockerd', atMost: 0.25 }],
    },
    {
      name: '`rm -f` of these 100',
      ...peers,
      berth: removed,
      dockerd: dockerRemoved,
      target: [{ of: 'dockerd', atMost: 0.2 }],
    },
    { name: '500 containers started by ten clients', unit: 's', berth: fiveHundred, target: [], runs: 1 },
    {
      name: '`ps` with 500 running',
      unit: 'ms',
      berth: median(lists),
      target: [{ of: 'absolute', atMost: 60 }],
      runs: lists.length,
    },
    { name: '`rm -f` of these 500; nothing is left', unit: 's', berth: removedAll, target: [], runs: 1 },
  ];
}
