/** `berth service install`: program, group, units, and the link of Docker's socket. What is there is brought up to date. */
import { chmod, copyFile, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { InstallOptions } from '../../cli/host-program.ts';
import { runTool } from '../../host/process/run-tool.ts';
import { selfCommand } from '../../host/process/self.ts';
import { dockerSocketPath, engineSocket, installedProgram, Places } from './places.ts';
import { exists, groupMembers, hasSystemd, requireRoot, systemctl } from './system.ts';
import { readUnit, serviceUnit, socketUnit, temporaryFiles, type UnitPlan } from './units.ts';

type Say = (line: string) => void;

export async function install(options: InstallOptions, say: Say): Promise<void> {
  requireRoot('berth service install');
  const places = new Places(options.root);
  if (places.live && !(await hasSystemd()))
    throw new BerthError(
      'unavailable',
      'systemd does not run this machine: start the engine with `berth daemon`, or let another service manager do it',
    );
  const before = await installedUnit(places);
  const program = await placeProgram(places, say);
  const plan: UnitPlan = {
    command: program.command,
    group: options.group,
    socketActivation: options.socketActivation,
    madeGroup: (await makeGroup(options.group, places, say)) || (before?.group === options.group && before.madeGroup),
    copiedProgram: program.copied,
  };
  await writeUnits(plan, places, say);
  if (options.dockerSocket) await linkDockerSocket(places, say);
  if (places.live) await enable(plan, options.start, say);
}

/** Null: not installed. */
export async function installedUnit(places: Places): Promise<UnitPlan | null> {
  return (await exists(places.unit)) ? readUnit(await readFile(places.unit, 'utf8')) : null;
}

/** An executable in somebody's home may go; programs in the places of programs stay where they are. */
async function placeProgram(places: Places, say: Say): Promise<{ command: string[]; copied: boolean }> {
  const self = selfCommand();
  const [program] = self as [string];
  if (self.length > 1) return { command: self, copied: false };
  if (places.live && program !== installedProgram && /^\/usr\/(local\/)?s?bin\//.test(program))
    return { command: self, copied: false };
  if (program !== places.program) {
    await mkdir(dirname(places.program), { recursive: true });
    // The old program may be running: a new file takes its name.
    await copyFile(program, `${places.program}.new`);
    await chmod(`${places.program}.new`, 0o755);
    await rename(`${places.program}.new`, places.program);
    say(`copied the program to ${places.program}`);
  }
  return { command: [installedProgram], copied: true };
}

/** True when it was made. */
async function makeGroup(group: string, places: Places, say: Say): Promise<boolean> {
  if (!places.live || group === 'root' || (await groupMembers(group)) !== null) return false;
  await runTool(['groupadd', '--system', group]);
  say(`made the group ${group}: its members may use the engine, which makes them root`);
  return true;
}

async function writeUnits(plan: UnitPlan, places: Places, say: Say): Promise<void> {
  await put(places.unit, serviceUnit(plan), say);
  if (plan.socketActivation) await put(places.socketUnit, socketUnit(plan.group), say);
  else if (await exists(places.socketUnit)) {
    if (places.live) await systemctl('disable', '--now', 'berth.socket');
    await rm(places.socketUnit);
    say(`removed ${places.socketUnit}`);
  }
}

async function put(path: string, text: string, say: Say): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o644 });
  say(`wrote ${path}`);
}

async function linkDockerSocket(places: Places, say: Say): Promise<void> {
  const there = places.live ? await lstat(dockerSocketPath).catch(() => null) : null;
  if (there && !there.isSymbolicLink()) {
    say(`${dockerSocketPath} is taken by another engine: no link is made`);
    return;
  }
  await put(places.temporaryFiles, temporaryFiles(), say);
  if (!places.live) return;
  if (there) await rm(dockerSocketPath);
  await symlink(engineSocket, dockerSocketPath);
  say(`linked ${dockerSocketPath} to ${engineSocket}`);
}

async function enable(plan: UnitPlan, start: boolean, say: Say): Promise<void> {
  const units = plan.socketActivation ? ['berth.socket', 'berth.service'] : ['berth.service'];
  await systemctl('daemon-reload');
  await systemctl('enable', '--quiet', ...units);
  say(`enabled ${units.join(' and ')}`);
  if (!start) return;
  // Running already: the new program takes over the containers of the old one.
  await systemctl('restart', ...units);
  say('started the engine');
}
