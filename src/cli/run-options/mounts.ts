/** `-v`, `--mount` and `--tmpfs`. Errors in Docker's words. */
import type { MountRequest } from '../../api/types/host-config.ts';
import { parseBinarySize } from '../../wire/size.ts';
import { parseBoolean, splitCsv } from '../grammar/values.ts';

/** Splits `-v` values: with a source they are binds, a target alone is an anonymous volume. */
export function parseVolumes(texts: readonly string[]): {
  binds: string[];
  volumes: Record<string, Record<string, never>>;
} {
  const binds: string[] = [];
  const volumes: Record<string, Record<string, never>> = {};
  for (const text of texts) {
    const parts = text.split(':');
    if (text === '' || parts.some((part) => part === ''))
      throw new Error(
        `invalid spec: ${text}: ${text === '' ? 'invalid empty volume spec' : 'empty section between colons'}`,
      );
    if (parts.length === 1) volumes[text] = {};
    else binds.push([absoluteSource(parts[0] as string), ...parts.slice(1)].join(':'));
  }
  return { binds, volumes };
}

/** `./data` is this machine's, below the current directory; a plain name is a volume. */
function absoluteSource(source: string): string {
  return source.startsWith('.') ? resolvePath(source, process.cwd()) : source;
}

/** A relative path below a directory, without `.` and `..` (node:path would cost a tenth of the program's start). */
export function resolvePath(path: string, directory: string): string {
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** `PATH[:OPTIONS]` */
export function parseTmpfs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const colon = text.indexOf(':');
      return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    }),
  );
}

const propagations = new Set(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave']);

/** `type=bind,source=/here,target=/there,readonly` */
export function parseMount(text: string): MountRequest {
  const mount: MountRequest = { Type: 'volume' };
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    if (equals < 0 && !['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src'].includes(key))
      throw new Error(`invalid field '${field}' must be a key=value pair`);
    setMountField(mount, key, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  if (mount.Type === '') throw new Error('type is required');
  if (!mount.Target) throw new Error('target is required');
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive, Propagation } = mount.BindOptions ?? {};
  if (ReadOnlyNonRecursive && !mount.ReadOnly) throw needs('writable', 'readonly');
  if (ReadOnlyForceRecursive && !mount.ReadOnly) throw needs('readonly', 'readonly');
  if (ReadOnlyForceRecursive && Propagation !== 'rprivate') throw needs('readonly', 'bind-propagation=rprivate');
  for (const [type, options] of [
    ['bind', mount.BindOptions],
    ['volume', mount.VolumeOptions],
    ['tmpfs', mount.TmpfsOptions],
    ['image', mount.ImageOptions],
  ] as const)
    if (options && mount.Type !== type)
      throw new Error(`cannot mix '${type}-*' options with mount type '${mount.Type}'`);
  return mount;
}

function needs(value: string, option: string): Error {
  return new Error(`option 'bind-recursive=${value}' requires '${option}' to be specified in conjunction`);
}

function setMountField(mount: MountRequest, key: string, value: string): void {
  switch (key) {
    case 'type':
      mount.Type = value.toLowerCase();
      return;
    case 'source':
    case 'src':
      mount.Source = absoluteSource(value);
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = value;
      return;
    case 'readonly':
    case 'ro':
      mount.ReadOnly = booleanField(key, value);
      return;
    case 'consistency':
      mount.Consistency = value.toLowerCase();
      return;
    case 'image-subpath':
      mount.ImageOptions = { ...mount.ImageOptions, Subpath: value };
      return;
  }
  if (key.startsWith('bind-')) setBindField(mount, key, value);
  else if (key.startsWith('volume-')) setVolumeField(mount, key, value);
  else if (key.startsWith('tmpfs-')) setTmpfsField(mount, key, value);
  else throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
}

function setBindField(mount: MountRequest, key: string, value: string): void {
  mount.BindOptions ??= {};
  const options = mount.BindOptions;
  if (key === 'bind-propagation') {
    if (!propagations.has(value.toLowerCase())) throw new Error(`invalid bind propagation: ${value}`);
    options.Propagation = value.toLowerCase();
  } else if (key === 'bind-nonrecursive') options.NonRecursive = booleanField(key, value);
  else if (key === 'bind-create-src') options.CreateMountpoint = booleanField(key, value);
  else if (key === 'bind-recursive') {
    if (value === 'disabled') options.NonRecursive = true;
    else if (value === 'writable') options.ReadOnlyNonRecursive = true;
    else if (value === 'readonly') options.ReadOnlyForceRecursive = true;
    else if (value !== 'enabled')
      throw new Error(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
  } else throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
}

function setVolumeField(mount: MountRequest, key: string, value: string): void {
  mount.VolumeOptions ??= {};
  const options = mount.VolumeOptions;
  const equals = value.indexOf('=');
  const pair: [string, string] = equals < 0 ? [value, ''] : [value.slice(0, equals), value.slice(equals + 1)];
  if (key === 'volume-subpath') options.Subpath = value;
  else if (key === 'volume-nocopy') options.NoCopy = booleanField(key, value);
  else if (key === 'volume-label') options.Labels = { ...options.Labels, [pair[0]]: pair[1] };
  else if (key === 'volume-driver') options.DriverConfig = { ...options.DriverConfig, Name: value };
  else if (key === 'volume-opt')
    options.DriverConfig = {
      ...options.DriverConfig,
      Options: { ...options.DriverConfig?.Options, [pair[0]]: pair[1] },
    };
  else throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
}

function setTmpfsField(mount: MountRequest, key: string, value: string): void {
  mount.TmpfsOptions ??= {};
  if (key === 'tmpfs-size') {
    try {
      mount.TmpfsOptions.SizeBytes = parseBinarySize(value);
    } catch (cause) {
      throw new Error(`invalid value for ${key}: ${value}`, { cause });
    }
  } else if (key === 'tmpfs-mode') {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
    mount.TmpfsOptions.Mode = Number.parseInt(value, 8);
  } else throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
}

function booleanField(key: string, value: string): boolean {
  try {
    return parseBoolean(value);
  } catch (cause) {
    throw new Error(`invalid value for ${key}: ${value}`, { cause });
  }
}

export function checkMount(text: string): string {
  parseMount(text);
  return text;
}
