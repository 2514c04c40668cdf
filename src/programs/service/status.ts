import { readlink } from 'node:fs/promises';
import type { ServiceStatus } from '../../cli/host-program.ts';
import { installedUnit } from './install.ts';
import { dockerSocketPath, engineSocket, Places } from './places.ts';
import { askSystemctl, exists, groupMembers, hasSystemd } from './system.ts';

/** What `berth service install` left behind, and how it is doing. */
export async function status(root: string): Promise<ServiceStatus> {
  const places = new Places(root);
  const unit = await installedUnit(places);
  const ask = places.live && unit !== null && (await hasSystemd());
  const docker = await readlink(dockerSocketPath).catch(() => '');
  return {
    installed: unit !== null,
    state: ask ? await askSystemctl('is-active', 'berth.service') : '',
    enabled: ask ? (await askSystemctl('is-enabled', 'berth.service')) === 'enabled' : await exists(places.wanted),
    pid: ask ? Number(await askSystemctl('show', '--property=MainPID', '--value', 'berth.service')) : 0,
    program: unit?.command.join(' ') ?? '',
    group: unit?.group ?? '',
    members: (unit && places.live && (await groupMembers(unit.group))) || [],
    socket: unit ? engineSocket : '',
    dockerSocket: places.live ? docker === engineSocket : await exists(places.temporaryFiles),
    socketActivation: unit?.socketActivation ?? false,
  };
}
