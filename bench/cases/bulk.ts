/** Whole trees through the engine: import, save, load, commit and export of a big Debian one, cold cache, sync included. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';
import { engineMemory } from './memory.ts';

const runs = 2;

/** Four Debian roots beside each other and what the peers' root has in big programs: 800 MB in 33,000 entries. */
async function makeTree({ berth }: Contenders): Promise<string> {
  const archive = join(state, 'tree.tar');
  if (existsSync(archive)) return archive;
  const tree = join(state, 'tree');
  await berth.shell.must(`${berth.client} image bootstrap debian >/dev/null`);
  await berth.shell.must(`rm -rf ${tree} && mkdir -p ${tree}`);
  await berth.shell.must(`${berth.client} create --name bench-tree debian true >/dev/null`);
  for (const copy of [1, 2, 3, 4])
    await berth.shell.must(
      `mkdir ${tree}/${copy} && ${berth.client} export bench-tree | tar -x --exclude dev -C ${tree}/${copy}`,
    );
  await berth.shell.must(
    `${berth.client} rm bench-tree >/dev/null && cp -a ${state}.root/usr/share ${state}.root/usr/libexec ${tree}/ && tar -C ${tree} -cf ${archive}.new . && mv ${archive}.new ${archive} && rm -r ${tree}`,
  );
  return archive;
}

interface Step {
  name: string;
  /** Not timed. */
  before?: (client: string) => string;
  command: (client: string) => string;
}

function steps(archive: string): Step[] {
  const saved = (client: string): string => `${state}/saved-${client.split(' ')[0]?.split('/').at(-1)}.tar`;
  return [
    { name: 'import', command: (client) => `${client} import ${archive} bench-tree:1` },
    { name: 'save', command: (client) => `${client} save -o ${saved(client)} bench-tree:1` },
    {
      name: 'load',
      before: (client) => `${client} rmi -f bench-tree:1`,
      command: (client) => `${client} load -q -i ${saved(client)}`,
    },
    {
      name: 'commit',
      before: (client) =>
        `${client} rmi -f bench-tree:1; ${client} create --name bench-commit busybox true && ${client} cp - bench-commit:/ < ${archive}`,
      command: (client) => `${client} commit bench-commit bench-tree:2`,
    },
    {
      name: 'export',
      before: (client) => `${client} rmi -f bench-tree:2`,
      command: (client) => `${client} export -o ${saved(client)} bench-commit`,
    },
  ];
}

export async function bulkCases(contenders: Contenders): Promise<Row[]> {
  const { berth, dockerd } = contenders;
  const archive = await makeTree(contenders);
  const rows: Row[] = [];
  const times = new Map<string, { berth: number[]; dockerd: number[] }>();
  let growth = 0;
  for (let run = 0; run < runs; run++) {
    for (const contender of [berth, dockerd]) {
      await cleared(contender);
      for (const { name, before, command } of steps(archive)) {
        if (before) await contender.shell.must(`{ ${before(contender.client)}; } >/dev/null`);
        await berth.shell.must('sync; echo 3 > /proc/sys/vm/drop_caches');
        const memory = contender === berth ? engineMemory(contenders) : null;
        const { milliseconds } = await contender.shell.must(`${command(contender.client)} >/dev/null && sync`);
        growth = Math.max(growth, memory?.grown() ?? 0);
        const figures = times.get(name) ?? { berth: [], dockerd: [] };
        figures[contender === berth ? 'berth' : 'dockerd'].push(milliseconds / 1000);
        times.set(name, figures);
      }
      await cleared(contender);
    }
  }
  for (const [name, figures] of times) {
    rows.push({
      name: `\`${name}\` of a Debian tree, 800 MB in 33,000 entries, cold cache, sync included`,
      unit: 's',
      berth: median(figures.berth),
      dockerd: median(figures.dockerd),
      target: [{ of: 'dockerd', atMost: 0.6 }],
      runs,
    });
  }
  rows.push({
    name: "the engine's memory at its highest in these, growth",
    unit: 'MB',
    berth: growth,
    target: [{ of: 'absolute', atMost: 80 }],
    runs,
  });
  return rows;
}

async function cleared({ shell, client }: Contender): Promise<void> {
  await shell.run(
    `{ ${client} rm -f bench-commit; ${client} rmi -f bench-tree:1 bench-tree:2; rm -f ${state}/saved-*.tar; } >/dev/null 2>&1`,
  );
}
