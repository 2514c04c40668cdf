import { readdirSync, readFileSync } from 'node:fs';
import type { TestEngine } from './engine.ts';

/** One exec by the API: what it said, and its exit code as inspect tells it. */
export async function execOnce(engine: TestEngine, container: string, command: string[]): Promise<[string, number]> {
  const body = { AttachStdout: true, AttachStderr: true, Tty: true, Cmd: command };
  const made = await engine.request('POST', `/containers/${container}/exec`, body);
  const { Id } = (await made.json()) as { Id: string };
  const started = await engine.request('POST', `/exec/${Id}/start`, { Tty: true });
  const said = await started.text();
  const { ExitCode } = (await (await engine.request('GET', `/exec/${Id}/json`)).json()) as { ExitCode: number };
  return [said, ExitCode];
}

/** Runs `count` execs, `together` at a time, each with an answer and an exit code of its own. Throws at the first wrong one. */
export async function manyExecs(
  engine: TestEngine,
  container: string,
  plan: { count: number; together: number },
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < plan.count) {
      const number = next++;
      const [said, code] = await execOnce(engine, container, ['sh', '-c', `echo ${number}; exit ${number % 100}`]);
      if (said !== `${number}\r\n` || code !== number % 100)
        throw new Error(`exec ${number} said ${JSON.stringify(said)} and ended with ${code}`);
    }
  };
  await Promise.all(Array.from({ length: plan.together }, worker));
}

/** What the process alone has in memory, in kilobytes. */
export function privateKilobytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]);
}

/** Processes that nobody has asked about since they ended. @param parent whose children are looked at */
export function zombiesOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return /^State:\s+Z/m.test(status) && new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status);
      } catch {
        // It is gone.
        return false;
      }
    });
}
