/** `RUN --mount=…`: https://docs.docker.com/reference/dockerfile/#run---mount */
import { posix } from 'node:path';
import { parseBinarySize } from '../../../wire/size.ts';

export type MountKind = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

export interface MountFlag {
  type: MountKind;
  /** Stage, image or named context; empty: the build's own context for bind, nothing for cache. */
  from: string;
  source: string;
  /** Empty: none given. */
  target: string;
  readonly: boolean;
  id: string;
  sharing: 'shared' | 'private' | 'locked';
  required: boolean;
  size: number;
  mode: number | null;
  uid: number | null;
  gid: number | null;
  env: string;
}

const kinds: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];

/** Error: `Error` in BuildKit's words. */
export function parseMount(text: string): MountFlag {
  const fields = splitFields(text);
  const given = fields.find(([key]) => key === 'type')?.[1] ?? 'bind';
  if (!kinds.includes(given)) throw new Error(`unsupported mount type ${JSON.stringify(given)}`);
  const type = given as MountKind;
  const mount: MountFlag = {
    type,
    from: '',
    source: '',
    target: '',
    readonly: type === 'bind',
    id: '',
    sharing: 'shared',
    required: false,
    size: 0,
    mode: null,
    uid: null,
    gid: null,
    env: '',
  };
  for (const [key, value] of fields) if (key !== 'type') setField(mount, key, value);
  return checked(mount);
}

function splitFields(text: string): [key: string, value: string | null][] {
  return text.split(',').map((field) => {
    const separator = field.indexOf('=');
    return separator < 0
      ? [field.trim().toLowerCase(), null]
      : [field.slice(0, separator).trim().toLowerCase(), field.slice(separator + 1).replace(/^"(.*)"$/, '$1')];
  });
}

const flagKeys: readonly string[] = ['readonly', 'ro', 'readwrite', 'rw', 'required'];

function setField(mount: MountFlag, key: string, value: string | null): void {
  if (flagKeys.includes(key)) {
    setSwitch(mount, key, value);
    return;
  }
  if (value === null) throw new Error(`invalid field '${key}' must be a key=value pair`);
  switch (key) {
    case 'from':
      mount.from = value;
      return;
    case 'source':
    case 'src':
      mount.source = value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.target = value;
      return;
    case 'id':
      mount.id = value;
      return;
    case 'env':
      mount.env = value;
      return;
    case 'sharing':
      if (value !== 'shared' && value !== 'private' && value !== 'locked')
        throw new Error(`unsupported sharing value ${JSON.stringify(value)}`);
      mount.sharing = value;
      return;
    case 'size':
      mount.size = parseBinarySize(value);
      return;
    case 'mode':
      mount.mode = integer(key, value, 8);
      return;
    case 'uid':
    case 'gid':
      mount[key] = integer(key, value, 10);
      return;
    default:
      throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
  }
}

function setSwitch(mount: MountFlag, key: string, value: string | null): void {
  const text = (value ?? 'true').toLowerCase();
  if (!['true', 'false', '1', '0'].includes(text)) throw new Error(`invalid value for ${key}: ${value}`);
  const on = text === 'true' || text === '1';
  if (key === 'required') {
    mount.required = on;
    return;
  }
  if (mount.type !== 'bind' && mount.type !== 'cache')
    throw new Error(`unexpected key '${key}' for mount type '${mount.type}'`);
  mount.readonly = key === 'readonly' || key === 'ro' ? on : !on;
}

function integer(key: string, value: string, base: 8 | 10): number {
  if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value)) throw new Error(`invalid value ${value} for ${key}`);
  return Number.parseInt(value, base);
}

function checked(mount: MountFlag): MountFlag {
  const { type, target } = mount;
  if (type !== 'secret' && type !== 'ssh') {
    if (target === '') throw new Error(`target is required for ${type} mount`);
    if (posix.normalize(`/${target}`) === '/') throw new Error('cannot mount to the root of the file system');
  }
  if (type === 'secret' && target === '' && mount.id === '' && mount.env === '')
    throw new Error('invalid secret mount. One of source, target required');
  return mount;
}
