/** What `stats` of a hundred containers costs the engine while a client watches all of them. */
import { readFileSync } from 'node:fs';
import type { Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';

const watched = 100;
const seconds = 20;

/** User and system time of a process so far, seconds. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  const ticks = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

export async function statsCases({ berth, engine }: Contenders): Promise<Row[]> {
  const { output } = await berth.shell.must(`${berth.client} ps -q | wc -l`);
  for (let i = Number(output); i < watched; i++) await berth.shell.must(`${berth.client} run -d busybox sleep 1000000`);
  const client = Bun.spawn([...berth.client.split(' '), 'stats', '--no-trunc'], { stdout: 'pipe' });
  const frames = client.stdout.getReader();
  await frames.read();
  const drained = (async () => {
    while (!(await frames.read()).done);
  })();
  // The first samples of all of them come at once.
  await Bun.sleep(3000);
  const before = processorSeconds(engine.pid);
  await Bun.sleep(seconds * 1000);
  const share = ((processorSeconds(engine.pid) - before) / seconds) * 100;
  client.kill();
  await drained;
  return [
    {
      name: `\`stats\` of ${watched} containers: the engine's share of one core`,
      unit: '%',
      berth: share,
      target: [{ of: 'absolute', atMost: 5 }],
      runs: 1,
    },
  ];
}
