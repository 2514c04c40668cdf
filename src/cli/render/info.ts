/** `info` in Docker's layout: one fact a line, deeper ones further in. */
import type { SystemInfo } from '../../api/types/system.ts';
import { binarySize } from '../../wire/size.ts';

/** What docker calls the unit of total memory has two letters more than its own sizes of images. */
export function infoText(info: SystemInfo): string {
  const lines: string[] = [];
  const add = (label: string, value: unknown): void => void lines.push(` ${label}: ${value}`);
  const addSome = (label: string, value: string | undefined): void => {
    if (value) add(label, value);
  };
  add('Containers', info.Containers);
  add(' Running', info.ContainersRunning);
  add(' Paused', info.ContainersPaused);
  add(' Stopped', info.ContainersStopped);
  add('Images', info.Images);
  addSome('Server Version', info.ServerVersion);
  add('Storage Driver', info.Driver);
  for (const [label, value] of info.DriverStatus ?? []) add(` ${label}`, value);
  addSome('Logging Driver', info.LoggingDriver);
  addSome('Cgroup Driver', info.CgroupDriver);
  addSome('Cgroup Version', info.CgroupVersion);
  lines.push(' Plugins:');
  add(' Volume', (info.Plugins?.Volume ?? []).join(' '));
  add(' Network', (info.Plugins?.Network ?? []).join(' '));
  if ((info.Plugins?.Authorization ?? []).length > 0) add(' Authorization', info.Plugins.Authorization?.join(' '));
  add(' Log', (info.Plugins?.Log ?? []).join(' '));
  if ((info.CDISpecDirs ?? []).length > 0)
    lines.push(' CDI spec directories:', ...info.CDISpecDirs.map((path) => `  ${path}`));
  add('Swarm', info.Swarm?.LocalNodeState ?? 'inactive');
  if (info.Runtimes && Object.keys(info.Runtimes).length > 0)
    add('Runtimes', Object.keys(info.Runtimes).sort().join(' '));
  addSome('Default Runtime', info.DefaultRuntime);
  addSome('Init Binary', info.InitBinary);
  add('containerd version', info.ContainerdCommit?.ID ?? '');
  add('runc version', info.RuncCommit?.ID ?? '');
  add('init version', info.InitCommit?.ID ?? '');
  if ((info.SecurityOptions ?? []).length > 0) lines.push(' Security Options:', ...securityLines(info.SecurityOptions));
  addSome('Kernel Version', info.KernelVersion);
  addSome('Operating System', info.OperatingSystem);
  addSome('OSType', info.OSType);
  addSome('Architecture', info.Architecture);
  add('CPUs', info.NCPU);
  add('Total Memory', binarySize(Number(info.MemTotal)));
  addSome('Name', info.Name);
  addSome('ID', info.ID);
  add('Docker Root Dir', info.DockerRootDir);
  add('Debug Mode', info.Debug);
  addSome('HTTP Proxy', info.HttpProxy);
  addSome('HTTPS Proxy', info.HttpsProxy);
  addSome('No Proxy', info.NoProxy);
  if ((info.Labels ?? []).length > 0) lines.push(' Labels:', ...info.Labels.map((label) => `  ${label}`));
  add('Experimental', info.ExperimentalBuild);
  lines.push(...registryLines(info));
  add('Live Restore Enabled', info.LiveRestoreEnabled);
  addSome('Product License', info.ProductLicense);
  if ((info.DefaultAddressPools ?? []).length > 0)
    lines.push(
      ' Default Address Pools:',
      ...(info.DefaultAddressPools ?? []).map((pool) => `   Base: ${pool.Base}, Size: ${pool.Size}`),
    );
  if (info.FirewallBackend?.Driver) {
    add('Firewall Backend', info.FirewallBackend.Driver);
    for (const [label, value] of info.FirewallBackend.Info ?? []) add(` ${label}`, value);
  }
  return `${lines.join('\n')}\n`;
}

/** `name=seccomp,profile=builtin` as a name and its facts. */
function securityLines(options: readonly string[]): string[] {
  return options.flatMap((option) => {
    const facts = option.split(',').map((fact) => fact.split('=') as [string, string | undefined]);
    const name = facts.find(([key]) => key === 'name')?.[1] ?? option;
    const others = facts.filter(([key, value]) => key !== 'name' && value !== undefined);
    return [`  ${name}`, ...others.map(([key, value]) => `   ${key === 'profile' ? 'Profile' : key}: ${value}`)];
  });
}

function registryLines(info: SystemInfo): string[] {
  const config = info.RegistryConfig;
  const insecure = Object.values(config?.IndexConfigs ?? {})
    .filter((index) => !index.Secure)
    .map((index) => `  ${index.Name}`);
  const ranges = (config?.InsecureRegistryCIDRs ?? []).map((range) => `  ${range}`);
  const mirrors = (config?.Mirrors ?? []).map((mirror) => `  ${mirror}`);
  return [
    ...(insecure.length + ranges.length > 0 ? [' Insecure Registries:', ...insecure, ...ranges] : []),
    ...(mirrors.length > 0 ? [' Registry Mirrors:', ...mirrors] : []),
  ];
}
