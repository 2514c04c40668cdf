import { isThere } from '../../host/process/is-there.ts';
import type { Member, MemberChange, Members } from '../networks/members.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { dnsWishes } from './sandbox-request.ts';
import { notRunning } from './states.ts';
import { wantedNetworks } from './wanted-networks.ts';

/** Containers as changes of networks see them. */
export function networkMembers(context: ContainerContext): Members {
  return {
    pidOf(id) {
      const pid = context.index.byId(id)?.pid ?? 0;
      return pid === 0 ? null : pid;
    },
    async change(reference, work) {
      const container = context.index.find(reference);
      let isChanged = false;
      await context.mutex.run(container.id, async () => {
        try {
          isChanged = keep(context, container, await work(memberOf(context, container)));
        } catch (error) {
          // Its process ended under the work, which has nothing to work on any more.
          if (container.pid !== 0 && !isThere(container.pid)) throw notRunning(container.id);
          throw error;
        }
      });
      if (isChanged) await context.dependencies.database.durable();
    },
  };
}

function memberOf(context: ContainerContext, container: Container): Member {
  const { record } = container;
  return {
    id: record.id,
    name: record.name,
    hostname: record.config.Hostname,
    domainname: record.config.Domainname,
    networkMode: record.hostConfig.NetworkMode,
    dns: dnsWishes(context, container),
    pid: container.pid === 0 ? null : container.pid,
    wanted: wantedNetworks(record),
    current: record.sandbox?.networks ?? {},
  };
}

/** False: there was nothing to keep. */
function keep(context: ContainerContext, container: Container, change: MemberChange): boolean {
  const { record } = container;
  if (!change.wanted && !change.current) return false;
  if (change.wanted) record.networks = change.wanted;
  if (change.current && record.sandbox) record.sandbox = { ...record.sandbox, networks: change.current };
  context.saveFact(container);
  return true;
}
