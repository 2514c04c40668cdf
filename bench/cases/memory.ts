/** What an idle engine and its helpers hold, and what a container costs. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Resets the engine's high-water mark; `grown` gives the megabytes by which it rose since. */
export function engineMemory({ engine }: Contenders): { grown(): number } {
  const pid = engine.pid;
  const before = residentSet(pid, 'VmRSS');
  // Only root may, and only the mark is reset.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return { grown: () => Math.max(0, residentSet(pid, 'VmHWM') - before) / 1024 };
}

function residentSet(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

/** After a thousand runs, with fifty containers alive. */
export async function memoryCases({ berth, engine, berthRoot }: Contenders): Promise<Row[]> {
  // The case `start` leaves fifty; alone, this one makes its own.
  const { output } = await berth.shell.must(`${berth.client} ps -q | wc -l`);
  for (let i = Number(output); i < 50; i++) await berth.shell.must(`${berth.client} run -d busybox sleep 1000000`);
  const runMany = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await berth.shell.must(`${berth.client} run --rm busybox true`);
  };
  await runMany(50);
  const early = pss(engine.pid);
  await runMany(950);
  const growth = (pss(engine.pid) - early) / 1024;
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
      name: '… of it the engine, growth since the first 50 runs',
      unit: 'MB',
      berth: growth,
      target: [{ of: 'absolute', atMost: 15 }],
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
