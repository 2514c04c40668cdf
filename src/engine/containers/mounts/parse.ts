/** `Binds`, `Mounts`, `Tmpfs` and `Volumes` of a create request as mounts, in dockerd's words where they are wrong. */
import { posix } from 'node:path';
import { BerthError, errorMessage } from '../../../api/errors.ts';
import type { MountRequest } from '../../../api/types/host-config.ts';
import type { MountRecord } from '../record.ts';
import { isPropagation, parseMode } from './mode.ts';

/** Whether the host has something at a path. */
export type SourceExists = (path: string) => Promise<boolean>;

/** A mount before its volume is looked up: `driverOptions` and `labels` are for a volume that does not exist yet. */
export interface ParsedMount {
  record: MountRecord;
  /** The destination as it was written, for messages. */
  target?: string;
  driverOptions: Record<string, string> | null;
  labels: Record<string, string> | null;
}

const defaultPropagation = 'rprivate';
/** What Docker shows for a volume whose mode was not said: relabelled for all who share it, where there is SELinux. */
const defaultVolumeMode = 'z';

/** `source:target[:mode]`, or a target alone. Error: `internal` (as dockerd) `invalid volume specification: …`. */
export function parseBind(text: string, volumeDriver: string): ParsedMount {
  const invalid = (reason = ''): BerthError =>
    new BerthError('internal', `invalid volume specification: '${text}'${reason && `: ${reason}`}`);
  const parts = text.split(':');
  if (parts.length > 3 || parts[0] === '' || parts[1] === '') throw invalid();
  const [first = '', second, modeText = ''] = parts;
  const source = second === undefined ? '' : first;
  const target = second ?? first;
  if (parts.length === 2 && parseMode(target) !== null && target !== '') throw invalid();
  const mode = parseMode(modeText);
  if (mode === null) throw new BerthError('internal', `invalid mode: ${modeText}`);
  const type = source.startsWith('/') ? 'bind' : 'volume';
  if (type === 'volume' && mode.propagation !== null)
    throw invalid(mountError('volume', 'field BindOptions must not be specified').message);
  if (type === 'bind' && mode.copy !== null)
    throw invalid(mountError('bind', 'field VolumeOptions must not be specified').message);
  try {
    checkTarget(type, target);
  } catch (error) {
    throw invalid(errorMessage(error));
  }
  return {
    record: {
      ...emptyMount(type, target),
      source: type === 'bind' ? cleanPath(source) : '',
      name: type === 'volume' ? source : '',
      driver: type === 'volume' ? volumeDriver : '',
      mode: type === 'volume' && modeText === '' ? defaultVolumeMode : modeText,
      writable: !mode.readOnly,
      propagation: type === 'bind' ? (mode.propagation ?? defaultPropagation) : '',
      createSource: true,
      copyUp: type === 'volume' && mode.copy !== false,
    },
    driverOptions: null,
    labels: null,
  };
}

/** One entry of `Mounts`. Error: `invalid` `invalid mount config for type "…": …`. */
export async function parseMount(mount: MountRequest, exists: SourceExists): Promise<ParsedMount> {
  checkExclusive(mount);
  checkTarget(mount.Type, mount.Target ?? '');
  return { ...(await parseByType(mount, exists)), target: mount.Target ?? '' };
}

async function parseByType(mount: MountRequest, exists: SourceExists): Promise<ParsedMount> {
  switch (mount.Type) {
    case 'bind':
      return parseBindMount(mount, exists);
    case 'volume':
      return parseVolumeMount(mount);
    case 'tmpfs':
      return parseTmpfsMount(mount);
    case 'image':
      return parseImageMount(mount);
    default:
      throw mountError(mount.Type, 'mount type unknown');
  }
}

/** An entry of `Tmpfs`. Error: `invalid`. */
export function parseTmpfs(target: string, options: string): ParsedMount {
  if (!target.startsWith('/'))
    throw new BerthError('invalid', `invalid mount path: '${target}' mount path must be absolute`);
  if (cleanPath(target) === '/') throw new BerthError('invalid', "invalid specification: destination can't be '/'");
  return plain({ ...emptyMount('tmpfs', target), data: options });
}

/** An entry of `Volumes`: an anonymous volume. */
export function anonymousVolume(target: string): ParsedMount {
  return plain({ ...emptyMount('volume', target), copyUp: true });
}

function plain(record: MountRecord): ParsedMount {
  return { record, driverOptions: null, labels: null };
}

async function parseBindMount(mount: MountRequest, exists: SourceExists): Promise<ParsedMount> {
  const source = mount.Source ?? '';
  const options = mount.BindOptions ?? {};
  if (source === '') throw mountError('bind', 'field Source must not be empty');
  if (options.Propagation && !isPropagation(options.Propagation))
    throw mountError('bind', `invalid propagation mode: ${options.Propagation}`);
  if (!source.startsWith('/')) throw mountError('bind', `invalid mount path: '${source}' mount path must be absolute`);
  if (!options.CreateMountpoint && !(await exists(source)))
    throw mountError('bind', `bind source path does not exist: ${source}`);
  const readOnly = mount.ReadOnly ?? false;
  if (!readOnly && options.ReadOnlyNonRecursive)
    throw new BerthError('invalid', 'mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive');
  if (!readOnly && options.ReadOnlyForceRecursive)
    throw new BerthError('invalid', 'mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive');
  if (options.ReadOnlyNonRecursive && options.ReadOnlyForceRecursive)
    throw new BerthError(
      'invalid',
      'mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
    );
  const record = emptyMount('bind', mount.Target as string);
  record.source = cleanPath(source);
  record.writable = !readOnly;
  record.propagation = options.Propagation || defaultPropagation;
  record.createSource = options.CreateMountpoint ?? false;
  record.nonRecursive = options.NonRecursive ?? false;
  if (options.ReadOnlyNonRecursive) record.readOnly = 'flat';
  if (options.ReadOnlyForceRecursive) record.readOnly = 'recursive';
  return plain(record);
}

function parseVolumeMount(mount: MountRequest): ParsedMount {
  const options = mount.VolumeOptions ?? {};
  const name = mount.Source ?? '';
  if (options.Subpath) {
    if (name === '') throw mountError('volume', 'must not set Subpath when using anonymous volumes');
    if (!isLocal(options.Subpath)) throw mountError('volume', 'subpath must be a relative path within the volume');
  }
  if (name === '' && mount.ReadOnly)
    throw mountError('volume', 'must not set ReadOnly mode when using anonymous volumes');
  const record = emptyMount('volume', mount.Target as string);
  record.name = name;
  record.driver = options.DriverConfig?.Name ?? '';
  record.writable = !(mount.ReadOnly ?? false);
  record.copyUp = !(options.NoCopy ?? false);
  record.subpath = options.Subpath ?? '';
  record.mode = defaultVolumeMode;
  return { record, driverOptions: options.DriverConfig?.Options ?? null, labels: options.Labels ?? null };
}

function parseImageMount(mount: MountRequest): ParsedMount {
  const name = mount.Source ?? '';
  const subpath = mount.ImageOptions?.Subpath ?? '';
  if (name === '') throw mountError('image', 'field Source must not be empty');
  if (subpath !== '' && !isLocal(subpath))
    throw mountError('image', 'subpath must be a relative path within the volume');
  const record = emptyMount('image', mount.Target as string);
  return plain({ ...record, name, subpath, writable: false, propagation: defaultPropagation });
}

const tmpfsFlags = new Set(['exec', 'noexec']);

function parseTmpfsMount(mount: MountRequest): ParsedMount {
  if (mount.Source) throw mountError('tmpfs', 'field Source must not be specified');
  const options = mount.TmpfsOptions ?? {};
  const data: string[] = [];
  if (mount.ReadOnly) data.push('ro');
  if (options.Mode) data.push(`mode=${options.Mode.toString(8)}`);
  if (options.SizeBytes) {
    if (options.SizeBytes < 0) throw mountError('tmpfs', 'size must not be negative');
    data.push(`size=${options.SizeBytes}`);
  }
  for (const option of options.Options ?? []) {
    const [flag = '', value] = option;
    if (option.length < 1 || option.length > 2) throw mountError('tmpfs', 'invalid option array length');
    if (!tmpfsFlags.has(flag)) throw mountError('tmpfs', `invalid option: ${flag}`);
    data.push(value === undefined ? flag : `${flag}=${value}`);
  }
  const record = emptyMount('tmpfs', mount.Target as string);
  record.data = data.join(',');
  record.writable = !(mount.ReadOnly ?? false);
  return plain(record);
}

/** Options of another mount type than the entry's are an error. */
function checkExclusive(mount: MountRequest): void {
  const groups = [
    ['BindOptions', 'bind'],
    ['VolumeOptions', 'volume'],
    ['ImageOptions', 'image'],
    ['TmpfsOptions', 'tmpfs'],
  ] as const;
  for (const [key, type] of groups) {
    if (mount[key] && mount.Type !== type) throw mountError(mount.Type, `field ${key} must not be specified`);
  }
}

function checkTarget(type: string, target: string): void {
  if (target === '') throw mountError(type, 'field Target must not be empty');
  if (cleanPath(target) === '/') throw mountError(type, "invalid specification: destination can't be '/'");
  if (!target.startsWith('/')) throw mountError(type, `invalid mount path: '${target}' mount path must be absolute`);
}

function mountError(type: string, reason: string): BerthError {
  return new BerthError('invalid', `invalid mount config for type "${type}": ${reason}`);
}

/** A mount with nothing said yet. */
export function emptyMount(type: MountRecord['type'], target: string): MountRecord {
  return {
    type,
    source: '',
    destination: cleanPath(target),
    name: '',
    driver: '',
    mode: '',
    writable: true,
    propagation: '',
    createSource: false,
    nonRecursive: false,
    readOnly: 'recursive-if-possible',
    subpath: '',
    copyUp: false,
    anonymous: false,
    data: '',
  };
}

/** Without a slash at the end, `.` and `..`. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function isLocal(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !posix.normalize(path).startsWith('..');
}
