/** `--network` and what belongs to it. Errors in Docker's words. */
import type { EndpointSettings } from '../../api/types/network.ts';
import { splitCsv } from '../grammar/values.ts';
import { pairs } from '../pairs.ts';

export interface NetworkFlags {
  networks: readonly string[];
  aliases: readonly string[];
  ip: string;
  ip6: string;
  linkLocal: readonly string[];
  links: readonly string[];
  macAddress: string;
}

export interface NetworkChoice {
  mode: string;
  endpoints: Record<string, Partial<EndpointSettings>>;
}

/** An attachment as `--network name=net,alias=a,ip=…` has it. */
interface Attachment {
  target: string;
  settings: Partial<EndpointSettings>;
}

export function parseNetworks(flags: NetworkFlags): NetworkChoice {
  const attachments = flags.networks.map(parseAttachment);
  const endpoints: Record<string, Partial<EndpointSettings>> = {};
  attachments.forEach(({ target, settings }, index) => {
    if (index === 0) applyFlags(settings, flags, target);
    checkEndpoint(settings, target);
    if (Object.hasOwn(endpoints, target))
      throw new Error(`network ${JSON.stringify(target)} is specified multiple times`);
    if (Object.keys(settings).length > 0 || attachments.length > 1) endpoints[target] = settings;
  });
  if (new Set(attachments.map(({ target }) => isUserDefined(target))).size > 1)
    throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  const first = attachments[0];
  if (!first) {
    const settings: Partial<EndpointSettings> = {};
    applyFlags(settings, flags, 'default');
    checkEndpoint(settings, 'default');
    if (Object.keys(settings).length > 0) endpoints['default'] = settings;
  }
  return { mode: first?.target ?? 'default', endpoints };
}

function isUserDefined(target: string): boolean {
  return !['bridge', 'host', 'none', 'default'].includes(target) && !target.startsWith('container:');
}

function checkEndpoint({ Aliases }: Partial<EndpointSettings>, target: string): void {
  if ((Aliases ?? []).length > 0 && !isUserDefined(target))
    throw new Error('network-scoped aliases are only supported for user-defined networks');
}

/** A value of `--network`, as it is. */
export function checkNetwork(text: string): string {
  parseAttachment(text);
  return text;
}

function parseAttachment(text: string): Attachment {
  if (!text.includes('=') || text.startsWith('container:')) return { target: text, settings: {} };
  const settings: Partial<EndpointSettings> = {};
  let target = '';
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    if (equals < 0) throw new Error(`invalid field ${field}`);
    const key = field.slice(0, equals).trim().toLowerCase();
    const value = field.slice(equals + 1).trim();
    if (key === 'name') target = value;
    else if (key === 'alias') settings.Aliases = [...(settings.Aliases ?? []), value.toLowerCase()];
    else if (key === 'ip') settings.IPAMConfig = { ...settings.IPAMConfig, IPv4Address: value };
    else if (key === 'ip6') settings.IPAMConfig = { ...settings.IPAMConfig, IPv6Address: value };
    else if (key === 'link-local-ip')
      settings.IPAMConfig = {
        ...settings.IPAMConfig,
        LinkLocalIPs: [...(settings.IPAMConfig?.LinkLocalIPs ?? []), value],
      };
    else if (key === 'mac-address') settings.MacAddress = checkMac(value);
    else if (key === 'driver-opt') settings.DriverOpts = { ...settings.DriverOpts, ...pairs([value]) };
    else if (key === 'gw-priority') {
      if (!/^-?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`);
      settings.GwPriority = Number(value);
    } else throw new Error(`invalid field key ${key}`);
  }
  if (target === '') throw new Error('network name/id is not specified');
  return { target, settings };
}

/** The flags beside `--network` belong to the first network. */
function applyFlags(settings: Partial<EndpointSettings>, flags: NetworkFlags, target: string): void {
  const { IPAMConfig } = settings;
  const check = (flag: string, isTwice: unknown, what: string): void => {
    if (isTwice) throw new Error(`conflicting options: cannot specify both --${flag} and per-network ${what}`);
  };
  check('ip', flags.ip && IPAMConfig?.IPv4Address, 'IPv4 address');
  check('ip6', flags.ip6 && IPAMConfig?.IPv6Address, 'IPv6 address');
  check('link-local-ip', flags.linkLocal.length > 0 && IPAMConfig?.LinkLocalIPs, 'link-local IP addresses');
  check('mac-address', flags.macAddress && settings.MacAddress, 'MAC address');
  if (flags.aliases.length > 0) {
    check('network-alias', settings.Aliases, 'alias');
    settings.Aliases = [...flags.aliases];
  }
  if (flags.links.length > 0 && isUserDefined(target)) settings.Links = [...flags.links];
  if (flags.ip || flags.ip6 || flags.linkLocal.length > 0) {
    settings.IPAMConfig = {
      ...IPAMConfig,
      ...(flags.ip && { IPv4Address: flags.ip }),
      ...(flags.ip6 && { IPv6Address: flags.ip6 }),
      ...(flags.linkLocal.length > 0 && { LinkLocalIPs: [...flags.linkLocal] }),
    };
  }
  if (flags.macAddress) {
    settings.MacAddress = checkMac(flags.macAddress);
  }
}

function checkMac(text: string): string {
  if (!/^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$|^([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}$/.test(text))
    throw new Error(`${text} is not a valid mac address`);
  return text;
}
