/**
 * How inspect's objects print in a template. Docker's command line runs it on Go structs first: fields that the engine leaves out, or
 * gives as null, when they are empty are there and print as the zero value of their type, and a struct is `{a b}` where a map is
 * `map[k:v]`.
 */
import { isObject, printValue } from '../template/print.ts';

/** Pointers: `<nil>`. */
const pointers = [
  ...['Health', 'Healthcheck', 'Init', 'MemorySwappiness', 'OomKillDisable', 'PidsLimit', 'StopTimeout'],
  ...['IPAMConfig', 'SizeRw', 'SizeRootFs', 'UsageData', 'ImageManifestDescriptor', 'Descriptor'],
  ...['BindOptions', 'VolumeOptions', 'TmpfsOptions', 'ImageOptions'],
];

/** Maps: `map[]`. */
const maps = [
  ...['ExposedPorts', 'Volumes', 'Labels', 'Sysctls', 'Tmpfs', 'StorageOpt', 'Annotations', 'PortBindings', 'Ports'],
  ...['DriverOpts', 'Options', 'Status', 'Containers', 'AuxiliaryAddresses', 'Networks'],
];

/** Lists: `[]`. */
const lists = [
  ...['Env', 'Cmd', 'Entrypoint', 'OnBuild', 'Shell', 'Binds', 'VolumesFrom', 'CapAdd', 'CapDrop', 'Dns', 'DnsOptions'],
  ...['DnsSearch', 'ExtraHosts', 'GroupAdd', 'Links', 'SecurityOpt', 'BlkioWeightDevice', 'BlkioDeviceReadBps'],
  ...['BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps', 'Devices', 'DeviceCgroupRules'],
  ...['DeviceRequests', 'Ulimits', 'Mounts', 'MaskedPaths', 'ReadonlyPaths', 'ExecIDs', 'Args', 'Aliases', 'DNSNames'],
  ...['SecondaryIPAddresses', 'SecondaryIPv6Addresses', 'RepoTags', 'RepoDigests', 'Peers', 'LinkLocalIPs'],
];

const texts = ['StopSignal', 'MacAddress', 'Variant', 'OsVersion', 'IPRange'];

const zeroes = new Map<string, string>([
  ...pointers.map((name) => [name, '<nil>'] as const),
  ...maps.map((name) => [name, 'map[]'] as const),
  ...lists.map((name) => [name, '[]'] as const),
  ...texts.map((name) => [name, ''] as const),
]);

/** What a mount leaves out when it is empty. */
const mountTexts = ['Name', 'Driver', 'Source', 'Mode'];

/**
 * What a field prints that is null or not there; undefined for one that Docker's objects do not have.
 * @param object that lacks it
 */
export function zeroText(field: string, object?: object): string | undefined {
  return object && 'Propagation' in object && mountTexts.includes(field) ? '' : zeroes.get(field);
}

/** Fields of the structs that users print whole, in Go's order. */
const structs = [
  ['HostIp', 'HostPort'],
  ['Name', 'MaximumRetryCount'],
  ['Type', 'Config'],
  ['Type', 'Name', 'Source', 'Destination', 'Driver', 'Mode', 'RW', 'Propagation'],
  ['Name', 'EndpointID', 'MacAddress', 'IPv4Address', 'IPv6Address'],
  ['Subnet', 'IPRange', 'Gateway', 'AuxiliaryAddresses'],
  [
    ...['Status', 'Running', 'Paused', 'Restarting', 'OOMKilled', 'Dead', 'Pid', 'ExitCode', 'Error'],
    ...['StartedAt', 'FinishedAt', 'Health'],
  ],
];

/** `%v` of a value that is no null. */
export function printGoObject(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printElement).join(' ')}]`;
  if (!isObject(value)) return printValue(value);
  const keys = Object.keys(value);
  const fields = keys.length > 1 && structs.find((names) => keys.every((key) => names.includes(key)));
  if (fields) return `{${fields.map((name) => printField(name, value[name] ?? null)).join(' ')}}`;
  return `map[${keys
    .sort()
    .map((key) => `${key}:${printElement(value[key])}`)
    .join(' ')}]`;
}

function printField(name: string, value: unknown): string {
  return value === null ? (zeroText(name) ?? '') : printGoObject(value);
}

/** An empty object is the struct of a set's element, and null the list of a port that is not published. */
function printElement(value: unknown): string {
  if (value === null || value === undefined) return '[]';
  return isObject(value) && Object.keys(value).length === 0 ? '{}' : printGoObject(value);
}
