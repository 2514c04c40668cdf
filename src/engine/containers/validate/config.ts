/** Checks of `Config` and of what of `HostConfig` is no resource, in dockerd's order and words. */
import { BerthError } from '../../../api/errors.ts';
import type { ContainerConfig, HealthcheckConfig, HostConfig } from '../../../api/types/container.ts';
import { parseSignal } from '../../../wire/signals.ts';
import { unhealthyAction } from '../../health/on-unhealthy.ts';
import { normalizeCapabilities } from '../spec/capabilities.ts';
import { keyOf } from '../spec/environment.ts';
import { containerOfMode, isContainerMode } from '../spec/namespaces.ts';
import { parseSecurityOptions } from '../spec/security-options.ts';
import { checkPorts } from './ports.ts';

const invalid = (message: string): BerthError => new BerthError('invalid', message);

/** Linux's HOST_NAME_MAX. */
const longestHostname = 64;

/** What the checks hold the request against. */
export interface ConfigCheckHost {
  availableCapabilities: ReadonlySet<string>;
  hasRuntime(name: string): boolean;
}

/** Checks that come before the image is looked for. */
export function checkModes(config: ContainerConfig, host: HostConfig): void {
  checkNetworkMode(config, host);
  if (host.Isolation && host.Isolation !== 'default')
    throw invalid(`invalid isolation (${host.Isolation}): linux only supports 'default'`);
  if (host.UTSMode !== '' && host.UTSMode !== 'host') throw invalid(`invalid UTS mode: ${host.UTSMode}`);
  if (host.UTSMode === 'host' && config.Hostname !== '')
    throw invalid('conflicting options: hostname and the UTS mode');
}

function checkNetworkMode(config: ContainerConfig, host: HostConfig): void {
  const mode = host.NetworkMode;
  if (isContainerMode(mode) || mode === 'container') {
    if (mode === 'container' || containerOfMode(mode) === '')
      throw invalid('invalid network mode: invalid container format container:<name|id>');
    if (config.Hostname) throw invalid('conflicting options: hostname and the network mode');
    if (host.Links?.length)
      throw invalid(
        "conflicting options: container type network can't be used with links. This would result in undefined behavior",
      );
    if (host.Dns?.length) throw invalid('conflicting options: dns and the network mode');
    if (host.ExtraHosts?.length) throw invalid('conflicting options: custom host-to-IP mapping and the network mode');
    if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts)
      throw invalid('conflicting options: port publishing and the container type network mode');
    if (Object.keys(config.ExposedPorts ?? {}).length > 0)
      throw invalid('conflicting options: port exposing and the container type network mode');
  }
  if (mode === 'host' && host.Links?.length)
    throw invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
}

/** The rest of what needs no image. */
export function checkSettings(config: ContainerConfig, host: HostConfig, facts: ConfigCheckHost): void {
  if (Buffer.byteLength(config.Hostname) > longestHostname)
    throw invalid(`hostname "${config.Hostname}" is too long (maximum ${longestHostname} bytes)`);
  checkContainerConfig(config);
  normalizeCapabilities(host.CapAdd ?? [], 'CapAdd', facts.availableCapabilities);
  normalizeCapabilities(host.CapDrop ?? [], 'CapDrop', facts.availableCapabilities);
  checkExtraHosts(host.ExtraHosts ?? []);
  checkPorts(host.PortBindings ?? {});
  checkRestartPolicy(host);
  for (const key of Object.keys(host.Annotations ?? {})) {
    if (key === '') throw invalid('invalid Annotations: the empty string is not permitted as an annotation key');
  }
  unhealthyAction(host);
  checkNamespaceModes(host);
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000)
    throw invalid(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  if (host.ShmSize < 0) throw invalid('SHM size can not be less than 0');
  if (host.AutoRemove && host.RestartPolicy.Name !== '' && host.RestartPolicy.Name !== 'no')
    throw invalid("can't create 'AutoRemove' container with restart policy");
  if (host.Runtime && !facts.hasRuntime(host.Runtime))
    throw invalid(`unknown or invalid runtime name: ${host.Runtime}`);
  if (host.UsernsMode !== '' && host.UsernsMode !== 'host')
    throw invalid(`invalid user namespace mode: ${host.UsernsMode}`);
  if (host.StorageOpt && Object.keys(host.StorageOpt).length > 0)
    throw new BerthError('internal', "--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  parseSecurityOptions(host.SecurityOpt ?? [], false);
}

function checkContainerConfig(config: ContainerConfig): void {
  // The kernel would take a shorter text than the one that was checked.
  for (const text of [
    ...(config.Env ?? []),
    ...(config.Cmd ?? []),
    ...(config.Entrypoint ?? []),
    config.User,
    config.WorkingDir,
    config.Hostname,
  ]) {
    if (text.includes('\0')) throw invalid(`invalid config: ${JSON.stringify(text)} contains a NUL byte`);
  }
  if (config.WorkingDir && !config.WorkingDir.startsWith('/'))
    throw invalid(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  for (const entry of config.Env ?? []) {
    if (entry === '' || keyOf(entry) === '') throw invalid(`invalid environment variable: ${entry}`);
  }
  if (config.StopSignal) parseSignal(config.StopSignal);
  if (config.Healthcheck) checkHealth(config.Healthcheck);
}

const nanosecondsPerMillisecond = 1_000_000;

function checkHealth(health: HealthcheckConfig): void {
  const times = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
  for (const name of times) {
    const value = health[name] ?? 0;
    if (value !== 0 && value < nanosecondsPerMillisecond)
      throw invalid(`${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((health.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative');
}

function checkExtraHosts(entries: readonly string[]): void {
  for (const entry of entries) {
    const separator = entry.indexOf(':');
    if (separator <= 0) throw invalid(`bad format for add-host: "${entry}"`);
    const address = entry.slice(separator + 1);
    if (address !== 'host-gateway' && !looksLikeAddress(address))
      throw invalid(`invalid IP address in add-host: "${address}"`);
  }
}

function looksLikeAddress(text: string): boolean {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(bare)) return bare.split('.').every((part) => Number(part) <= 255);
  return bare.includes(':') && /^[0-9a-fA-F:.]+(%[\w.-]+)?$/.test(bare);
}

const policies = new Set(['', 'no', 'always', 'on-failure', 'unless-stopped']);

/** Error: `invalid` in dockerd's words. */
export function checkRestartPolicy(host: Pick<HostConfig, 'RestartPolicy'>): void {
  const { Name, MaximumRetryCount } = host.RestartPolicy;
  if (!policies.has(Name))
    throw invalid(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (Name !== 'on-failure' && MaximumRetryCount !== 0)
    throw invalid(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${MaximumRetryCount < 0 ? ' and cannot be negative' : ''}`,
    );
  if (MaximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
}

function checkNamespaceModes(host: HostConfig): void {
  if (
    isContainerMode(host.IpcMode)
      ? containerOfMode(host.IpcMode) === ''
      : !isKnown(host.IpcMode, ['', 'none', 'private', 'shareable', 'host'])
  )
    throw invalid(`invalid IPC mode: ${host.IpcMode}`);
  if (isContainerMode(host.PidMode) ? containerOfMode(host.PidMode) === '' : !isKnown(host.PidMode, ['', 'host']))
    throw invalid(`invalid PID mode: ${host.PidMode}`);
  if (!isKnown(host.CgroupnsMode, ['', 'private', 'host']))
    throw invalid(`invalid cgroup namespace mode: ${host.CgroupnsMode}`);
}

function isKnown(value: string, words: readonly string[]): boolean {
  return words.includes(value);
}
