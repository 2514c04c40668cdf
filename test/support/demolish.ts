/** Removes everything of one test engine by force: after a failed test, and for tests that died. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineIdentity } from './identity.ts';
import { bridgesOf, findLeaks, foreignRules } from './leaks.ts';
import { until } from './until.ts';

/** Kills the engine's processes, then removes mounts, interfaces, nftables table, cgroups and directories. */
export async function demolish(identity: EngineIdentity): Promise<void> {
  await powerOff(identity);
  for (const path of [identity.dataRoot, identity.notes]) rmSync(path, { recursive: true, force: true });
}

/** The same, as a reboot does it: what is in the data root stays. */
export async function powerOff(identity: EngineIdentity): Promise<void> {
  await until(`the processes of ${identity.bridge} to end`, () => {
    const leaks = findLeaks(identity, { engine: null, table: null });
    const processes = leaks.filter((leak) => leak.kind === 'process');
    // What is frozen does not die.
    for (const { what } of leaks.filter((leak) => leak.kind === 'cgroup')) thaw(what);
    for (const { what } of processes) kill(Number(what.split(' ')[0]));
    return processes.length === 0;
  });
  quietly(['nft', 'delete', 'table', 'inet', identity.table]);
  for (const { place } of foreignRules(identity)) quietly(['nft', 'delete', 'rule', ...place]);
  for (const name of bridgesOf(identity)) quietly(['ip', 'link', 'delete', name]);
  for (const path of hostMounts(identity)) quietly(['umount', '-l', path]);
  await until(`the cgroups of ${identity.bridge} to go`, () => removeCgroups(identity));
  for (const path of [identity.execRoot, identity.pidfile]) rmSync(path, { recursive: true, force: true });
}

/** Version 1 and version 2 of the freezer, in a cgroup and those below it. */
function thaw(cgroup: string): void {
  for (const [name, state] of [
    ['freezer.state', 'THAWED'],
    ['cgroup.freeze', '0'],
  ] as const) {
    if (existsSync(join(cgroup, name))) writeFileSync(join(cgroup, name), state);
  }
  for (const entry of readdirSync(cgroup, { withFileTypes: true }))
    if (entry.isDirectory()) thaw(join(cgroup, entry.name));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function hostMounts(identity: EngineIdentity): string[] {
  return findLeaks(identity, { engine: null, table: null })
    .filter((leak) => leak.kind === 'mount')
    .map((leak) =>
      leak.what.split(' ').find((word) => word.startsWith(identity.execRoot) || word.startsWith(identity.dataRoot)),
    )
    .filter((path) => path !== undefined)
    .reverse();
}

/** Bottom up; false while one is still busy. */
function removeCgroups(identity: EngineIdentity): boolean {
  const leaks = findLeaks(identity, { engine: null, table: null }).filter((leak) => leak.kind === 'cgroup');
  for (const { what } of leaks) {
    // Where a controller is not mounted, crun leaves a plain file in a plain directory; a real cgroup's files cannot be deleted.
    quietly(['find', what, '-name', 'cgroup.procs', '-delete']);
    quietly(['find', what, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
  }
  return leaks.length === 0;
}

function quietly(command: string[]): void {
  Bun.spawnSync(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
}
