import type { Member, MemberChange, Members } from '../networks/members.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { wantedNetworks } from './wanted-networks.ts';

/** Containers as changes of networks see them. */
export function networkMembers(context: ContainerContext): Members {
  return {
    async change(reference, work) {
      const container = context.index.find(reference);
      await context.mutex.run(container.id, async () => {
        const change = await work(memberOf(container));
        keep(context, container, change);
      });
      await context.dependencies.database.durable();
    },
  };
}

function memberOf(container: Container): Member {
  const { record } = container;
  return {
    id: record.id,
    name: record.name,
    hostname: record.config.Hostname,
    domainname: record.config.Domainname,
    networkMode: record.hostConfig.NetworkMode,
    pid: container.pid === 0 ? null : container.pid,
    wanted: wantedNetworks(record),
    current: record.sandbox?.networks ?? {},
  };
}

function keep(context: ContainerContext, container: Container, change: MemberChange): void {
  const { record } = container;
  if (!change.wanted && !change.current) return;
  if (change.wanted) record.networks = change.wanted;
  if (change.current && record.sandbox) record.sandbox = { ...record.sandbox, networks: change.current };
  context.saveFact(container);
}
