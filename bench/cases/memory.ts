/** What an idle engine and its helpers hold, and what a container costs. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

/** Proportional set size of a process, KB. */
export function pss(pid: number): number {
  return sum(pid, /^Pss:\s+(\d+)/m);
}

function sum(pid: number, pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
}

/** Pids whose command line contains `text`. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        // It ended meanwhile.
        return false;
      }
    });
}

/** After a thousand runs, with fifty containers alive. */
export async function memoryCases({ berth, engine, berthRoot }: Contenders): Promise<Row[]> {
  for (let i = 0; i < 1000; i++) await berth.shell.must(`${berth.client} run --rm busybox true`);
  const shims = processesWith(`${berthRoot}/run/containers`).filter((pid) => pid !== engine.pid);
  const helpers = processesWith(berthRoot).filter(
    (pid) => pid !== engine.pid && !shims.includes(pid) && pid !== process.pid,
  );
  const total = [engine.pid, ...helpers].reduce((all, pid) => all + pss(pid), 0);
  const shim = median(shims.map((pid) => sum(pid, /^Private_Dirty:\s+(\d+)/m)));
  return [
    {
      name: 'engine and helpers (PSS) after 1,000 runs, with 50 containers',
      unit: 'MB',
      berth: total / 1024,
      target: [{ of: 'absolute', atMost: 90 }],
      runs: 1,
    },
    {
      name: 'shim, private memory',
      unit: 'KB',
      berth: shim,
      target: [{ of: 'absolute', atMost: 1024 }],
      runs: shims.length,
    },
  ];
}
