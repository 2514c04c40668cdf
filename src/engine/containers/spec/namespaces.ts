import type { HostConfig } from '../../../api/types/host-config.ts';
import type { RuntimeNamespace } from '../../../oci/runtime-spec.ts';
import type { SandboxPlan } from '../../../supervisor/types.ts';

/** What of other containers the namespaces of this one depend on. */
export interface NamespaceContext {
  network: SandboxPlan['kind'];
  /** Pid of the container whose namespace is joined, by the mode's text (`container:<id>`). */
  pidOf(mode: string): number;
}

/**
 * The namespaces of a container. The network namespace is made by the shim before the runtime starts, so the runtime finds
 * itself in it already.
 */
export function containerNamespaces(host: HostConfig, context: NamespaceContext): RuntimeNamespace[] {
  const namespaces: RuntimeNamespace[] = [{ type: 'mount' }];
  if (context.network !== 'host') namespaces.push({ type: 'network', path: '/proc/self/ns/net' });
  if (host.UTSMode !== 'host') namespaces.push({ type: 'uts' });
  if (isContainerMode(host.PidMode))
    namespaces.push({ type: 'pid', path: `/proc/${context.pidOf(host.PidMode)}/ns/pid` });
  else if (host.PidMode !== 'host') namespaces.push({ type: 'pid' });
  if (isContainerMode(host.IpcMode))
    namespaces.push({ type: 'ipc', path: `/proc/${context.pidOf(host.IpcMode)}/ns/ipc` });
  else if (host.IpcMode !== 'host') namespaces.push({ type: 'ipc' });
  if (host.CgroupnsMode === 'private') namespaces.push({ type: 'cgroup' });
  return namespaces;
}

const containerPrefix = 'container:';

/** `container:<name or id>` */
export function isContainerMode(mode: string): boolean {
  return mode.startsWith(containerPrefix);
}

/** What stands after `container:`. */
export function containerOfMode(mode: string): string {
  return mode.slice(containerPrefix.length);
}
