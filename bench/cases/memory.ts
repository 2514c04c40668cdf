/** What an idle engine and its helpers hold, and what a container costs. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

/** Proportional set size of a process, KB. */
export function pss(pid: number): number {
  return field(pid, /^Pss:\s+(\d+)/m);
}

function field(pid: number, pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
}

/** Processes whose program or arguments lie below `folder`. */
function processesOf(folder: string): { pid: number; words: string[] }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), words: commandLine(name) }))
    .filter(({ words }) => words.some((word) => word.includes(`${folder}/`)));
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/** After a thousand runs, with fifty containers alive. */
export async function memoryCases({ berth, engine, berthRoot }: Contenders): Promise<Row[]> {
  // The case `start` leaves fifty; alone, this one makes its own.
  const { output } = await berth.shell.must(`${berth.client} ps -q | wc -l`);
  for (let i = Number(output); i < 50; i++) await berth.shell.must(`${berth.client} run -d busybox sleep 1000000`);
  for (let i = 0; i < 1000; i++) await berth.shell.must(`${berth.client} run --rm busybox true`);
  const all = processesOf(berthRoot).filter(({ pid }) => pid !== process.pid);
  const shims = all.filter(({ words }) => words[1] === 'run').map(({ pid }) => pid);
  const helpers = all.map(({ pid }) => pid).filter((pid) => pid !== engine.pid && !shims.includes(pid));
  const total = [engine.pid, ...helpers].reduce((sum, pid) => sum + pss(pid), 0);
  const shim = median(shims.map((pid) => field(pid, /^Private_Dirty:\s+(\d+)/m)));
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
