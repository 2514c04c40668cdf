/**
 * Request bodies as Go's encoding/json reads them, driven by a schema that is data: keys match whatever their case, unknown keys are
 * ignored, `null` means absent, what is absent has Go's zero value, a wrong type is an error in Go's words.
 */
import { BerthError } from '../api/errors.ts';
import { FractionLiteral, parseJsonLiterally } from './json.ts';
import { explainSyntax } from './json-syntax.ts';

/** How a value of type T is read. */
export interface Schema<T> {
  /** Go's name of the type, for errors. */
  readonly type: string;
  /** What an absent value becomes. `undefined`: the key is left out. */
  zero(): T;
  /** @param path of the value, for errors */
  read(value: unknown, path: Path): T;
}

/** Keys and indexes from the top, each linked to the one above. */
type Path = { above: Path; key: string } | null;

function mismatch(value: unknown, type: string, path: Path): BerthError {
  const keys: string[] = [];
  for (let at = path; at; at = at.above) keys.unshift(at.key.replaceAll('~', '~0').replaceAll('/', '~1'));
  const into = path ? `Go struct field .${keys.join('.')} of type ${type}` : `Go value of type ${type}`;
  return new BerthError('invalid', `json: cannot unmarshal ${kindOf(value)} into ${into}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint' || value instanceof FractionLiteral) return 'number';
  return typeof value;
}

/** As `mismatch`, with the digits: the kind fits, the value does not. */
function outOfRange(value: number | bigint | FractionLiteral, type: string, path: Path): BerthError {
  const digits = value instanceof FractionLiteral ? value.source : String(value);
  const error = mismatch(value, type, path);
  return new BerthError('invalid', error.message.replace('unmarshal number', `unmarshal number ${digits}`));
}

function scalar<T>(type: string, zero: T, is: (value: unknown) => value is T): Schema<T> {
  return {
    type,
    zero: () => zero,
    read(value, path) {
      if (is(value)) return value;
      throw mismatch(value, type, path);
    },
  };
}

export const string: Schema<string> = scalar('string', '', (value) => typeof value === 'string');
export const boolean: Schema<boolean> = scalar('bool', false, (value) => typeof value === 'boolean');

/** An integer that must be exact: a bigint beyond ±(2^53 − 1). */
function exactInteger(type: string, minimum: bigint, maximum: bigint): Schema<number | bigint> {
  return {
    type,
    zero: () => 0,
    read(value, path) {
      if (value instanceof FractionLiteral) throw outOfRange(value, type, path);
      if (typeof value !== 'number' && typeof value !== 'bigint') throw mismatch(value, type, path);
      if (value < minimum || value > maximum) throw outOfRange(value, type, path);
      return value;
    },
  };
}

/** An integer of which no client needs more than 2^53; what Go takes beyond that is refused too. */
function plainInteger(type: string, minimum: number, maximum: number): Schema<number> {
  const exact = exactInteger(type, BigInt(minimum), BigInt(maximum));
  return { type, zero: () => 0, read: (value, path) => Number(exact.read(value, path)) };
}

export const int64: Schema<number | bigint> = exactInteger('int64', -(2n ** 63n), 2n ** 63n - 1n);
export const integer: Schema<number> = plainInteger('int', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
export const smallInt64: Schema<number> = plainInteger('int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
export const duration: Schema<number> = plainInteger('time.Duration', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
export const uint16: Schema<number> = plainInteger('uint16', 0, 65_535);
export const uint32: Schema<number> = plainInteger('uint32', 0, 4_294_967_295);
const uint: Schema<number> = plainInteger('uint', 0, Number.MAX_SAFE_INTEGER);

/** A slice; absent: null. */
export function list<T>(element: Schema<T>): Schema<T[] | null> {
  const type = `[]${element.type}`;
  return {
    type,
    zero: () => null,
    read(value, path) {
      if (!Array.isArray(value)) throw mismatch(value, type, path);
      return value.map((item, index) =>
        item === null ? element.zero() : element.read(item, { above: path, key: String(index) }),
      );
    },
  };
}

/** `["a","b"]` or `"a"`; absent: null. Docker's Cmd, Entrypoint and Shell. */
export const stringOrList: Schema<string[] | null> = {
  type: 'strslice.StrSlice',
  zero: () => null,
  read(value) {
    if (typeof value === 'string') return [value];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string' || item === null))
      return value.map((item: string | null) => item ?? '');
    throw mismatch(value, 'string', null);
  },
};

/** An object with free keys; absent: null. */
export function record<T>(element: Schema<T>): Schema<Record<string, T> | null> {
  const type = `map[string]${element.type}`;
  return {
    type,
    zero: () => null,
    read(value, path) {
      const entries = objectEntries(value, type, path);
      // A key such as __proto__ must stay a key.
      const result: Record<string, T> = Object.create(null);
      for (const [key, item] of entries)
        result[key] = item === null ? element.zero() : element.read(item, { above: path, key });
      return { ...result };
    },
  };
}

/** A fixed number of integers (`ConsoleSize`). */
export const pairOfUints: Schema<[number, number]> = {
  type: '[2]uint',
  zero: () => [0, 0],
  read(value, path) {
    if (!Array.isArray(value)) throw mismatch(value, '[2]uint', path);
    const at = (index: number): number => {
      const item: unknown = value[index] ?? null;
      return item === null ? 0 : uint.read(item, { above: path, key: String(index) });
    };
    return [at(0), at(1)];
  },
};

/** A pointer; absent: null. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return { type: schema.type, zero: () => null, read: schema.read };
}

/** A key that is left out where it is absent (Go's omitempty). */
export function optional<T>(schema: Schema<T>): Schema<NonNullable<T> | undefined> {
  return {
    type: schema.type,
    zero: () => undefined,
    read: (value, path) => schema.read(value, path) ?? undefined,
  };
}

/** The schema of a struct: one schema a key, none forgotten. */
export type Fields<T> = { [K in keyof T]-?: Schema<T[K]> };

export function struct<T extends object>(type: string, fields: Fields<T>): Schema<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  const byLowerCase = new Map(names.map((name) => [name.toLowerCase(), name]));
  const zero = (): T => {
    const result = {} as T;
    for (const name of names) {
      const value = fields[name].zero();
      if (value !== undefined) result[name] = value;
    }
    return result;
  };
  return {
    type,
    zero,
    read(value, path) {
      const entries = objectEntries(value, type, path);
      const result = zero();
      for (const [key, item] of entries) {
        if (item === null) continue;
        const name = Object.hasOwn(fields, key) ? (key as keyof T & string) : byLowerCase.get(key.toLowerCase());
        if (name === undefined) continue;
        const read = fields[name].read(item, { above: path, key: name });
        if (read !== undefined) result[name] = read;
      }
      return result;
    },
  };
}

function objectEntries(value: unknown, type: string, path: Path): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof FractionLiteral)
    throw mismatch(value, type, path);
  return Object.entries(value);
}

/**
 * Reads a body. Null for a JSON `null`.
 * Errors: `invalid` in dockerd's words for an empty or malformed text, something after the value, or a wrong type.
 */
export function decodeBody<T>(text: string, schema: Schema<T>): T | null {
  let parsed: unknown;
  try {
    parsed = parseJsonLiterally(text);
  } catch (cause) {
    // Beyond the parser's stack; Go gives up at ten thousand.
    if (cause instanceof RangeError) throw new BerthError('invalid', 'invalid JSON: exceeded max depth', { cause });
    const { problem } = explainSyntax(text);
    if (problem === 'trailing') throw new BerthError('invalid', 'unexpected content after JSON', { cause });
    const why = problem === 'empty' ? 'got EOF while reading request body' : problem;
    throw new BerthError('invalid', `invalid JSON: ${why}`, { cause });
  }
  if (parsed === null) return null;
  try {
    return schema.read(parsed, null);
  } catch (error) {
    if (error instanceof BerthError) throw new BerthError('invalid', `invalid JSON: ${error.message}`);
    throw error;
  }
}
