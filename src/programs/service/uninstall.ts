/** `berth service uninstall`: the engine is stopped with its containers, and what `install` made goes; with `--purge` the data too. */
import { lstat, readFile, readlink, rm } from 'node:fs/promises';
import { BerthError, errorMessage } from '../../api/errors.ts';
import type { UninstallOptions } from '../../cli/host-program.ts';
import { Client } from '../../client/client.ts';
import { listContainers } from '../../client/containers/list.ts';
import { removeContainer } from '../../client/containers/remove.ts';
import { stopContainer } from '../../client/containers/stop.ts';
import { bunTransport } from '../../client/transport/bun.ts';
import { runTool } from '../../host/process/run-tool.ts';
import { readDaemonArguments } from '../daemon/read-config.ts';
import { installedUnit } from './install.ts';
import { configDirectory, dockerSocketPath, engineSocket, Places } from './places.ts';
import { askSystemctl, exists, groupMembers, hasSystemd, requireRoot, systemctl } from './system.ts';
import type { UnitPlan } from './units.ts';

type Say = (line: string) => void;

export async function uninstall({ root, purge }: UninstallOptions, say: Say): Promise<void> {
  requireRoot('berth service uninstall');
  const places = new Places(root);
  const unit = await installedUnit(places);
  if (!unit && !purge) throw new BerthError('not-found', 'the service is not installed');
  // Read while the file is still there.
  const roots = engineRoots();
  if (places.live && (await hasSystemd())) await stopEngine(unit, purge, say);
  await removeFiles(places, unit, say);
  if (!places.live) return;
  await removeFromMachine(unit, say);
  const directories = purge ? [roots.execRoot, roots.dataRoot, configDirectory] : [roots.execRoot];
  for (const directory of directories) await removeDirectory(directory, say);
  await removeCgroups(roots.cgroupParent, say);
  if (!purge) say(`images, volumes and containers stay in ${roots.dataRoot}; --purge removes them`);
}

interface EngineRoots {
  dataRoot: string;
  execRoot: string;
  cgroupParent: string;
}

function engineRoots(): EngineRoots {
  try {
    const { config } = readDaemonArguments([]);
    return { dataRoot: config['data-root'], execRoot: config['exec-root'], cgroupParent: config['cgroup-parent'] };
  } catch {
    // A configuration that no engine would start with: nothing can be where it says.
    return { dataRoot: '/var/lib/berth', execRoot: '/run/berth', cgroupParent: '/berth' };
  }
}

/** Containers outlive an engine that is only stopped; without one nobody would look after them. */
async function stopEngine(unit: UnitPlan | null, purge: boolean, say: Say): Promise<void> {
  if (unit && (await askSystemctl('is-active', 'berth.service')) !== 'active')
    await systemctl('start', 'berth.service').catch((error: unknown) =>
      say(`the engine does not start (${errorMessage(error)}): containers are left as they are`),
    );
  if (await exists(engineSocket)) await endContainers(purge, say);
  if (!unit) return;
  await systemctl('disable', '--now', '--quiet', ...(unit.socketActivation ? ['berth.socket'] : []), 'berth.service');
  say('stopped the engine');
}

async function endContainers(purge: boolean, say: Say): Promise<void> {
  const client = new Client({ host: `unix://${engineSocket}`, transport: bunTransport });
  try {
    const containers = await listContainers(client, { all: purge });
    await Promise.all(
      containers.map(({ Id }) =>
        purge ? removeContainer(client, Id, { force: true, volumes: true }) : stopContainer(client, Id),
      ),
    );
    if (containers.length > 0) say(`${purge ? 'removed' : 'stopped'} ${containers.length} containers`);
  } catch (error) {
    say(`containers are left as they are: ${errorMessage(error)}`);
  } finally {
    client.close();
  }
}

async function removeFiles(places: Places, unit: UnitPlan | null, say: Say): Promise<void> {
  const files = [places.wanted, places.wantedSocket, places.unit, places.socketUnit, places.temporaryFiles];
  if (unit?.copiedProgram) files.push(places.program);
  for (const file of files) {
    if (!(await lstat(file).catch(() => null))) continue;
    await rm(file);
    say(`removed ${file}`);
  }
}

async function removeFromMachine(unit: UnitPlan | null, say: Say): Promise<void> {
  if ((await readlink(dockerSocketPath).catch(() => '')) === engineSocket) {
    await rm(dockerSocketPath);
    say(`removed ${dockerSocketPath}`);
  }
  if (await hasSystemd()) {
    await systemctl('daemon-reload');
    // A unit that failed is remembered until it is forgotten on purpose; of one that did not there is nothing to forget.
    await askSystemctl('reset-failed', 'berth.service', 'berth.socket');
  }
  if (!unit?.madeGroup || (await groupMembers(unit.group)) === null) return;
  await runTool(['groupdel', unit.group]);
  say(`removed the group ${unit.group}`);
}

async function removeDirectory(directory: string, say: Say): Promise<void> {
  if (!(await exists(directory))) return;
  await refuseMounts(directory);
  await rm(directory, { recursive: true, force: true });
  say(`removed ${directory}`);
}

/** Those of containers are gone by now; the one that held them is empty. */
async function removeCgroups(parent: string, say: Say): Promise<void> {
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    const [left, right] = line.split(' - ');
    if (!right?.startsWith('cgroup')) continue;
    const directory = `${left?.split(' ')[4]}${parent}`;
    if (await exists(directory)) await runTool(['rmdir', directory]).catch(() => say(`${directory} is not empty`));
  }
}

/** What is mounted below may be somebody's disk. Error: `conflict`. */
async function refuseMounts(directory: string): Promise<void> {
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    const point = line.split(' ')[4];
    if (point?.startsWith(`${directory}/`))
      throw new BerthError('conflict', `${point} is a mount: unmount it, then remove ${directory}`);
  }
}
