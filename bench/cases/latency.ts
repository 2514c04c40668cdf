/** How long `_ping` waits while a gigabyte is loaded and ten clients start containers. */
import { existsSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { percentile } from '../statistics.ts';

export async function latencyCases({ berth, berthRoot }: Contenders): Promise<Row[]> {
  const archive = join(state, 'big.tar');
  if (!existsSync(archive)) {
    await berth.shell.must(
      `rm -rf ${state}/big && mkdir -p ${state}/big && for i in $(seq 40); do head -c 25000000 /dev/urandom > ${state}/big/$i; done && tar -C ${state}/big -c . | ${berth.client} import - big >/dev/null && ${berth.client} save -o ${archive} big && rm -r ${state}/big`,
    );
  }
  await berth.shell.must(`${berth.client} rmi -f big >/dev/null; sync`);
  const load = Bun.spawn(['setsid', 'bash', '-c', `${berth.client} load -q -i ${archive}; sync`], { stdout: 'ignore' });
  // The question is when the engine answers, not when a busy machine lets this process look.
  prioritize(-15);
  let running = true;
  const clients = Array.from({ length: 10 }, async () => {
    while (running)
      await Bun.spawn(['setsid', 'nice', '-n', '15', 'bash', '-c', `${berth.client} run --rm busybox true`], {
        stdout: 'ignore',
      }).exited;
  });
  const waits: number[] = [];
  const ping = async () => {
    const before = performance.now();
    const response = await fetch('http://berth/_ping', { unix: join(berthRoot, 'berth.sock') });
    await response.text();
    waits.push(performance.now() - before);
  };
  const finished = load.exited.then(() => {
    running = false;
  });
  while (running) {
    await ping();
    await Bun.sleep(5);
  }
  await Promise.all([finished, ...clients]);
  prioritize(0);
  return [
    {
      name: '`_ping` at p99 during a 1 GB load and ten clients starting containers',
      unit: 'ms',
      berth: percentile(waits, 0.99),
      target: [{ of: 'absolute', atMost: 20 }],
      runs: waits.length,
    },
    {
      name: '`_ping`, the worst of them',
      unit: 'ms',
      berth: Math.max(...waits),
      target: [{ of: 'absolute', atMost: 100 }],
      runs: waits.length,
    },
  ];
}

/** Of this process, and of its session where the kernel shares the processor between sessions; what it starts has its own. */
function prioritize(nice: number): void {
  setPriority(nice);
  if (existsSync('/proc/self/autogroup')) writeFileSync('/proc/self/autogroup', String(nice));
}
