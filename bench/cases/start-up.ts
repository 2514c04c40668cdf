/** What a verb costs before and after the engine's part: processor time of the client beside an empty compiled program. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const runs = 40;
const repository = resolve(import.meta.dir, '../..');

/** User and system milliseconds of one run. */
async function processorTime(command: string[]): Promise<number> {
  const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'ignore' });
  await child.exited;
  const usage = child.resourceUsage();
  return usage ? Number(usage.cpuTime.total) / 1000 : Number.NaN;
}

export async function startUpCases({ berth }: Contenders): Promise<Row[]> {
  const empty = join(state, 'empty-program');
  if (!existsSync(empty)) {
    await Bun.write(`${empty}.ts`, 'console.log("");\n');
    await Bun.spawn(
      [
        join(repository, 'node_modules/.bin/bun'),
        'build',
        '--compile',
        '--bytecode',
        '--format=esm',
        `${empty}.ts`,
        '--outfile',
        empty,
      ],
      { stdout: 'ignore' },
    ).exited;
  }
  const [program, ...flags] = berth.client.split(' ') as [string, ...string[]];
  const commands = [[empty], [program, ...flags, 'version'], [program, ...flags, 'ps']];
  const times: number[][] = commands.map(() => []);
  for (let run = -3; run < runs; run++) {
    for (const [index, command] of commands.entries()) {
      const time = await processorTime(command);
      if (run >= 0) times[index]?.push(time);
    }
  }
  const [none, version, ps] = times.map(median) as [number, number, number];
  const other = { name: 'empty program', value: none };
  return [
    {
      name: '`version`, processor time of the client',
      unit: 'ms',
      berth: version,
      other,
      target: [{ of: 'other', atMost: 1.5 }],
      runs,
    },
    {
      name: '`ps`, processor time of the client',
      unit: 'ms',
      berth: ps,
      other,
      target: [{ of: 'other', atMost: 1.5 }],
      runs,
    },
  ];
}
