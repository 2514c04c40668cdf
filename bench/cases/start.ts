/** How long a container takes, seen from the shell that types the command. */
import type { Contender, Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';
import { bareRuntime } from './bare-runtime.ts';

const runs = 25;

/** Interleaved medians of one command line per contender. */
async function compare(contenders: Contender[], command: (contender: Contender) => string): Promise<number[]> {
  const times = contenders.map((): number[] => []);
  for (let run = -2; run < runs; run++) {
    for (const [index, contender] of contenders.entries()) {
      const { milliseconds } = await contender.shell.must(command(contender));
      // The first rounds warm the caches.
      if (run >= 0) times[index]?.push(milliseconds);
    }
  }
  return times.map(median);
}

/** `run --rm busybox true` on the bridge, with a published port and without a network, `exec`, `version`, `ps`. */
export async function startCases(contenders: Contenders): Promise<Row[]> {
  const { berth, dockerd, podman } = contenders;
  const all = [berth, dockerd, podman];
  const rows: Row[] = [];
  const add = (name: string, values: number[], target: Row['target'], other?: Row['other']) =>
    rows.push({
      name,
      unit: 'ms',
      berth: values[0] as number,
      dockerd: values[1],
      podman: values[2],
      other,
      target,
      runs,
    });

  const [run, bare] = [
    await compare(all, ({ client }) => `${client} run --rm busybox true`),
    await bareRuntime(contenders, runs),
  ];
  add(
    '`run --rm busybox true`',
    run,
    [
      { of: 'dockerd', atMost: 0.2 },
      { of: 'podman', atMost: 0.2 },
      { of: 'other', atMost: 3 },
    ],
    { name: 'crun run', value: bare },
  );
  add(
    '`run --rm -p 18080:80 busybox true`',
    await compare(all, ({ client }) => `${client} run --rm -p 18080:80 busybox true`),
    [{ of: 'dockerd', atMost: 0.2 }],
  );
  add(
    '`run --rm --network none busybox true`',
    await compare(all, ({ client }) => `${client} run --rm --network none busybox true`),
    [{ of: 'dockerd', atMost: 0.3 }],
  );

  for (const { shell, client } of all) await shell.must(`${client} run -d --name bench-exec busybox sleep 1000000`);
  add('`exec X true`', await compare(all, ({ client }) => `${client} exec bench-exec true`), [
    { of: 'dockerd', atMost: 0.35 },
  ]);
  for (const { shell, client } of all) await shell.must(`${client} rm -f bench-exec`);

  for (const { shell, client } of all)
    for (let i = 0; i < 50; i++) await shell.must(`${client} run -d --name bench-many-${i} busybox sleep 1000000`);
  add('`ps` with 50 containers', await compare(all, ({ client }) => `${client} ps >/dev/null`), [
    { of: 'dockerd', atMost: 0.5 },
  ]);
  add('`version`', await compare(all, ({ client }) => `${client} version >/dev/null`), [
    { of: 'dockerd', atMost: 0.5 },
  ]);
  return rows;
}
