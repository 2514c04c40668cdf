/**
 * The options of Docker's log drivers, in dockerd's words where they are wrong. Which options there are and how the driver is to
 * buffer is known when the container is made; what they say is read when it starts, as under dockerd.
 * https://docs.docker.com/engine/logging/configure/
 */
import { BerthError, errorMessage } from '../../api/errors.ts';
import { goBoolean, notBoolean } from '../../base/go-boolean.ts';
import { parseBinarySize, parseDecimalSize } from '../../wire/size.ts';

export type LogOptions = Readonly<Record<string, string>>;

/** What a driver that writes a file keeps. */
export interface LogFileLimits {
  /** Bytes at which the file is rotated; -1: never. */
  maxSize: number;
  /** Files kept, the current one included. */
  maxFile: number;
  compress: boolean;
}

/** Every driver takes these; Docker's cache is for drivers that cannot be read, and all of ours can. */
const common = ['mode', 'max-buffer-size', 'cache-disabled', 'cache-max-file', 'cache-max-size', 'cache-compress'];
const limits = ['max-size', 'max-file', 'compress'];
const known: Readonly<Record<string, ReadonlySet<string>>> = {
  'json-file': new Set([...common, ...limits, 'labels', 'labels-regex', 'env', 'env-regex', 'tag']),
  local: new Set([...common, ...limits]),
};
/** Docker's, that Berth does not have. */
const elsewhere = new Set(['syslog', 'journald', 'gelf', 'fluentd', 'awslogs', 'splunk', 'gcplogs', 'etwlogs']);

/** Unbounded logs fill disks, so a container that says nothing is rotated at 20 MB, five files. */
const defaultMaxSize = 20_000_000;
const defaultMaxFile = 5;
const defaultBufferSize = 1_048_576;

/** Error: `invalid` for a driver or an option that does not exist, `not-implemented` for a driver of Docker's. */
export function checkLogOptions(driver: string, options: LogOptions): void {
  if (driver === 'none') return;
  const mode = options['mode'] ?? '';
  if (!['', 'blocking', 'non-blocking'].includes(mode))
    throw new BerthError('invalid', `logger: logging mode not supported: ${mode}`);
  if (options['max-buffer-size'] !== undefined) {
    if (mode !== 'non-blocking')
      throw new BerthError('invalid', "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    readOption('error parsing option max-buffer-size: ', () => parseBinarySize(options['max-buffer-size'] as string));
  }
  if (elsewhere.has(driver))
    throw new BerthError(
      'not-implemented',
      `log driver ${driver} is not supported by Berth yet: use json-file, local or none`,
    );
  const names = known[driver];
  if (!names)
    throw new BerthError('invalid', `error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  for (const option of Object.keys(options)) {
    if (names.has(option)) continue;
    const place = driver === 'local' ? 'log driver local' : `${driver} log driver`;
    throw new BerthError('invalid', `unknown log opt '${option}' for ${place}`);
  }
}

/** Bytes of encoded lines that wait for a disk which takes none; 0: the container waits. */
export function logBufferSize(options: LogOptions): number {
  if (options['mode'] !== 'non-blocking') return 0;
  const text = options['max-buffer-size'];
  return text === undefined ? defaultBufferSize : parseBinarySize(text);
}

/** Error: `invalid`, without a word of where it happened. */
export function logFileLimits(driver: string, options: LogOptions): LogFileLimits {
  return driver === 'local' ? localLimits(options) : jsonFileLimits(options);
}

function jsonFileLimits(options: LogOptions): LogFileLimits {
  const size = options['max-size'];
  const maxSize =
    size === undefined ? defaultMaxSize : size === '-1' ? -1 : readOption('', () => parseDecimalSize(size));
  if (maxSize === 0) throw new BerthError('invalid', 'max-size must be a positive number');
  // Who bounds the size alone wants no more on the disk than that.
  const maxFile = wholeNumber(options['max-file'], size === undefined ? defaultMaxFile : 1);
  if (maxFile < 1) throw new BerthError('invalid', 'max-file cannot be less than 1');
  const compress = parseBoolean(options['compress'], false);
  if (compress && (maxFile < 2 || maxSize < 0))
    throw new BerthError('invalid', 'compress cannot be true when max-file is less than 2 or max-size is not set');
  return { maxSize, maxFile, compress };
}

function localLimits(options: LogOptions): LogFileLimits {
  const { 'max-size': size, 'max-file': file } = options;
  const maxSize =
    size === undefined
      ? defaultMaxSize
      : readOption(`invalid value for max-size: ${size}: `, () => parseDecimalSize(size));
  const maxFile = readOption(`invalid value for max-file: ${file}: `, () => wholeNumber(file, defaultMaxFile));
  if (maxFile < 0) throw new BerthError('invalid', 'max file count cannot be less than 0');
  const compress = readOption('error reading compress log option: ', () => parseBoolean(options['compress'], true));
  if (compress && maxFile < 2)
    throw new BerthError('invalid', 'compression cannot be enabled when max file count is 1');
  return { maxSize: maxSize === 0 ? -1 : maxSize, maxFile: Math.max(1, maxFile), compress };
}

function readOption<T>(context: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new BerthError('invalid', `${context}${errorMessage(cause)}`, { cause });
  }
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[+-]?\d+$/.test(text))
    throw new BerthError('invalid', `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function parseBoolean(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise;
  const value = goBoolean(text);
  if (value === null) throw new BerthError('invalid', notBoolean(text));
  return value;
}
