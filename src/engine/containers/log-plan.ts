/** Docker's log options as what the shim is told. */
import { BerthError, errorMessage } from '../../api/errors.ts';
import type { LogPlan } from '../../supervisor/types.ts';
import { logBufferSize, logFileLimits } from '../logs/log-options.ts';
import { expandTag } from '../logs/log-tag.ts';
import type { ContainerRecord } from './record.ts';
import { keyOf } from './spec/environment.ts';

/** Both write one format: see docs/decisions on the `local` driver. */
const fileDrivers = new Set(['json-file', 'local']);

/** Error: `internal` in dockerd's words for a value that cannot be read. */
export function logPlan(record: ContainerRecord, path: string): LogPlan {
  const { Type, Config } = record.hostConfig.LogConfig;
  if (!fileDrivers.has(Type)) return { driver: 'none' };
  const given = Config ?? {};
  try {
    return {
      driver: 'json-file',
      path,
      ...logFileLimits(Type, given),
      bufferSize: logBufferSize(given),
      attributes: logAttributes(record, given),
    };
  } catch (cause) {
    const reason = `failed to create task for container: failed to initialize logging driver: ${errorMessage(cause)}`;
    throw new BerthError('internal', reason, { cause });
  }
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
  if (tag !== undefined) attributes['tag'] = expandTag(tag, tagFields(record));
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
    const reason = pattern.includes('(') && !pattern.includes(')') ? 'missing closing ): ' : '';
    throw new BerthError('invalid', `error parsing regexp: ${reason}\`${pattern}\``, { cause });
  }
}

const shortLength = 12;

/** The fields of Docker's tag template. An image's short id begins with its algorithm there. */
function tagFields(record: ContainerRecord): Record<string, string> {
  return {
    ID: record.id.slice(0, shortLength),
    FullID: record.id,
    Name: record.name,
    ImageID: record.image.slice(0, shortLength),
    ImageFullID: record.image,
    ImageName: record.config.Image,
    DaemonName: 'berth',
    Command: [record.path, ...record.arguments].join(' '),
  };
}
