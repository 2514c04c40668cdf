/** Writes `shim.conf`, which shim/plan.c reads: lines of `key value`. */
import { BerthError } from '../api/errors.ts';
import type { InterfacePlan } from '../host/netlink/attacher.ts';
import type { LogPlan, Pin, PortHold, RootMount, SandboxPlan, ShimSpec } from './types.ts';

function escapeValue(value: string): string {
  if (value.includes('\0')) throw new BerthError('invalid', 'a path or name contains a zero byte');
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

class Lines {
  text = '';

  /** Null and undefined add nothing. */
  add(key: string, value: string | number | boolean | null | undefined): void {
    if (value === null || value === undefined) return;
    const text = typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
    this.text += `${key} ${escapeValue(text)}\n`;
  }
}

function addRoot(lines: Lines, root: RootMount): void {
  if (root.kind === 'bind') {
    lines.add('root.bind', root.source);
    return;
  }
  for (const lower of root.lower) lines.add('root.lower', lower);
  lines.add('root.upper', root.upper);
  lines.add('root.work', root.work);
  lines.add('root.volatile', root.volatile);
}

function addLog(lines: Lines, log: LogPlan): void {
  if (log.driver === 'none') return;
  lines.add('log.json-file', log.path);
  lines.add('log.max-size', log.maxSize);
  lines.add('log.max-file', log.maxFile);
  lines.add('log.compress', log.compress);
  if (log.bufferSize) lines.add('log.buffer-size', log.bufferSize);
  for (const [key, value] of Object.entries(log.attributes)) {
    lines.add('log.attribute', key);
    lines.add('log.attribute.value', value);
  }
}

function addInterface(lines: Lines, plan: InterfacePlan): void {
  lines.add('interface', plan.hostName);
  lines.add('interface.name', plan.containerName);
  lines.add('interface.bridge', plan.bridge);
  lines.add('interface.mac', plan.macAddress);
  for (const address of plan.addresses) lines.add('interface.address', address);
  for (const gateway of plan.gateways) lines.add('interface.gateway', gateway);
  lines.add('interface.mtu', plan.mtu);
  lines.add('interface.hairpin', plan.hairpin);
  for (const sysctl of plan.sysctls) lines.add('interface.sysctl', sysctl);
}

function addPort(lines: Lines, port: PortHold): void {
  lines.add('port', port.protocol);
  lines.add('port.host-address', port.hostAddress);
  lines.add('port.host-port', port.hostPort);
  lines.add('port.forward-address', port.forwardTo.address);
  lines.add('port.forward-port', port.forwardTo.port);
  lines.add('port.userspace', port.userspace);
}

function addNetwork(lines: Lines, network: SandboxPlan): void {
  lines.add('network', network.kind === 'join' ? `join ${network.path}` : network.kind);
  if (network.kind !== 'new') return;
  for (const plan of network.interfaces) addInterface(lines, plan);
  for (const port of network.ports) addPort(lines, port);
  lines.add('resolver', network.resolver);
}

function addPin(lines: Lines, pin: Pin): void {
  lines.add('pin', pin.name);
  lines.add('pin.root', pin.root);
  lines.add('pin.path', pin.path);
  lines.add('pin.process', pin.process);
}

/** The whole file for a container. */
export function shimConfig(spec: ShimSpec): string {
  const lines = new Lines();
  lines.add('id', spec.id);
  lines.add('runtime.path', spec.runtime.path);
  lines.add('runtime.root', spec.runtime.root);
  for (const argument of spec.runtime.arguments) lines.add('runtime.argument', argument);
  lines.add('cgroup', spec.cgroupPath);
  lines.add('terminal', spec.terminal);
  lines.add('stdin', spec.stdin);
  lines.add('rows', spec.size?.rows);
  lines.add('columns', spec.size?.columns);
  lines.add('attachments', spec.attachments.length);
  addRoot(lines, spec.root);
  addLog(lines, spec.log);
  addNetwork(lines, spec.network);
  for (const [name, value] of Object.entries(spec.sysctls ?? {})) {
    lines.add('sysctl', name.replaceAll('.', '/'));
    lines.add('sysctl.value', value);
  }
  for (const pin of spec.pins ?? []) addPin(lines, pin);
  return lines.text;
}
