import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { ContainerTopResponse } from '../../api/types/container.ts';
import type { CgroupFacts } from '../../host/cgroup/detect.ts';
import { fullFormat } from '../../host/process/process-table.ts';
import type { ContainerContext } from './context.ts';
import { isAlive, notRunning } from './states.ts';

/**
 * The container's processes. Without arguments the engine reads /proc itself; else the host's ps formats them.
 * Errors: `conflict` when it does not run, `internal` with ps's own words.
 */
export async function topContainer(
  context: ContainerContext,
  reference: string,
  psArguments: string,
): Promise<ContainerTopResponse> {
  const container = context.index.find(reference);
  if (!isAlive(container.state)) throw notRunning(container.id);
  const pids = await pidsOf(context.dependencies.host.cgroup, context.cgroupOf(container));
  context.publish(container, 'top');
  if (psArguments === '' || psArguments === '-ef') return fullFormat(pids);
  return selectRows(await runPs(psArguments), new Set(pids.map(String)));
}

/** Every process of the cgroup and of those that the container made below it. */
async function pidsOf(cgroup: CgroupFacts, path: string): Promise<number[]> {
  const root =
    cgroup.controllers.get('pids') ?? cgroup.controllers.get('memory') ?? [...cgroup.controllers.values()][0];
  if (!root) throw new BerthError('internal', 'no cgroup hierarchy is mounted on this machine');
  return listProcesses(join(root, path));
}

async function listProcesses(directory: string): Promise<number[]> {
  const text = await readFile(join(directory, 'cgroup.procs'), 'utf8');
  const pids = text.split('\n').filter(Boolean).map(Number);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) pids.push(...(await listProcesses(join(directory, entry.name)).catch(() => [])));
  }
  return pids.sort((a, b) => a - b);
}

const longestOutput = 16 * 1024 * 1024;

function runPs(psArguments: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const words = psArguments.split(/\s+/).filter(Boolean);
  execFile('ps', words, { maxBuffer: longestOutput }, (error, stdout, stderr) => {
    if (!error) return resolve(stdout);
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'ps: executable file not found in $PATH'
        : `ps: ${stderr.split('\n')[0]}`;
    reject(new BerthError('internal', reason, { cause: error }));
  });
  return promise;
}

function selectRows(output: string, pids: ReadonlySet<string>): ContainerTopResponse {
  const [header = '', ...lines] = output.split('\n');
  const Titles = header.trim().split(/\s+/);
  const column = Titles.indexOf('PID');
  if (column < 0) throw new BerthError('internal', "Couldn't find PID field in ps output");
  const Processes: string[][] = [];
  for (const line of lines) {
    const words = line.trim().split(/\s+/);
    if (words.length < Titles.length || !pids.has(words[column] as string)) continue;
    // The last column is the command, blanks and all.
    const rest = words.slice(Titles.length - 1).join(' ');
    Processes.push([...words.slice(0, Titles.length - 1), rest]);
  }
  return { Processes, Titles };
}
