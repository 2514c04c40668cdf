/** Docker's log options, checked and turned into what the shim is told (https://docs.docker.com/engine/logging/drivers/json-file/). */
import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/container.ts';
import type { LogPlan } from '../../supervisor/types.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerSettings } from './settings.ts';
import { keyOf } from './spec/environment.ts';

/** Both write the json-file format here; `local` only differs in being compressed unless told otherwise. */
const fileDrivers = new Set(['json-file', 'local']);
const drivers = new Set([...fileDrivers, 'none']);
const options = new Set([
  'max-size',
  'max-file',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
]);

/** Unbounded logs fill disks, so a container that says nothing is rotated at 20 MB, five files. */
const defaultMaxSize = 20_000_000;
const defaultMaxFile = 5;

/** Error: `invalid` in dockerd's words for a driver or option that does not exist. */
export function checkLogConfig(host: HostConfig, settings: ContainerSettings): void {
  const driver = host.LogConfig.Type || settings.logDriver;
  if (!drivers.has(driver))
    throw new BerthError('invalid', `error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  for (const option of Object.keys(host.LogConfig.Config ?? {})) {
    if (driver === 'none' || !options.has(option))
      throw new BerthError('invalid', `unknown log opt '${option}' for ${driver} log driver`);
  }
  const mode = host.LogConfig.Config?.['mode'];
  if (mode !== undefined && mode !== 'blocking' && mode !== 'non-blocking')
    throw new BerthError('invalid', `logger: logging mode not supported: ${mode}`);
}

/** Error: `internal` in dockerd's words for a value that cannot be read; Docker finds out at the start as well. */
export function logPlan(record: ContainerRecord, path: string): LogPlan {
  const { Type, Config } = record.hostConfig.LogConfig;
  if (!fileDrivers.has(Type)) return { driver: 'none' };
  const given = Config ?? {};
  return {
    driver: 'json-file',
    path,
    maxSize: parseMaxSize(given['max-size']),
    maxFile: parseMaxFile(given['max-file']),
    compress: parseCompress(given['compress'], Type === 'local'),
    attributes: logAttributes(record, given),
  };
}

const initializing = 'failed to create task for container: failed to initialize logging driver: ';

function failure(reason: string): BerthError {
  return new BerthError('internal', initializing + reason);
}

const units: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function parseMaxSize(text: string | undefined): number {
  if (text === undefined) return defaultMaxSize;
  if (text === '-1') return -1;
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text);
  if (!match) throw failure(`invalid size: '${text}'`);
  const size = Math.floor(Number(match[1]) * (units[(match[2] as string).toLowerCase()] as number));
  if (size === 0) throw failure('max-size must be a positive number');
  return size;
}

function parseMaxFile(text: string | undefined): number {
  if (text === undefined) return defaultMaxFile;
  if (!/^-?\d+$/.test(text)) throw failure(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const count = Number(text);
  if (count < 1) throw failure('max-file cannot be less than 1');
  return count;
}

function parseCompress(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise;
  if (text !== 'true' && text !== 'false')
    throw failure(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return text === 'true';
}

/** Labels and variables that the options name, and the tag; they stand in every line of the log. */
function logAttributes(record: ContainerRecord, given: Record<string, string>): Record<string, string> {
  const attributes: Record<string, string> = {};
  const labels = Object.entries(record.config.Labels ?? {});
  const variables = (record.config.Env ?? []).map(
    (entry) => [keyOf(entry), entry.slice(keyOf(entry).length + 1)] as const,
  );
  pick(attributes, labels, { list: given['labels'], pattern: given['labels-regex'] });
  pick(attributes, variables, { list: given['env'], pattern: given['env-regex'] });
  const tag = given['tag'];
  if (tag !== undefined) attributes['tag'] = expandTag(tag, record);
  return attributes;
}

function pick(
  attributes: Record<string, string>,
  entries: readonly (readonly [string, string])[],
  choice: { list: string | undefined; pattern: string | undefined },
): void {
  const names = new Set(choice.list?.split(',') ?? []);
  const expression = choice.pattern ? toExpression(choice.pattern) : null;
  for (const [key, value] of entries) {
    if (names.has(key) || expression?.test(key)) attributes[key] = value;
  }
}

function toExpression(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new BerthError('internal', `${initializing}error parsing regexp: ${pattern}`, { cause });
  }
}

/** The fields of Docker's tag template that have a meaning for a file. */
function expandTag(template: string, record: ContainerRecord): string {
  const fields: Record<string, string> = {
    ID: record.id.slice(0, 12),
    FullID: record.id,
    Name: record.name,
    ImageID: record.image.replace(/^sha256:/, '').slice(0, 12),
    ImageFullID: record.image,
    ImageName: record.config.Image,
    DaemonName: 'berth',
  };
  return template.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, field: string) => fields[field] ?? whole);
}
