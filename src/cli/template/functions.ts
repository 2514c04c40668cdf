/** Go's built-in template functions and Docker's own. */
import { formatPrintf, goTypeName, isObject, isTrue, printValue, toJson } from './print.ts';

export type TemplateFunction = (...values: unknown[]) => unknown;

/** Looks into maps and lists: `index x 1 "key"`. */
function indexInto(value: unknown, keys: unknown[]): unknown {
  let at = value;
  for (const key of keys) {
    if (at === null || at === undefined) throw new Error('index of untyped nil');
    if (Array.isArray(at) || typeof at === 'string') {
      const index = Number(key);
      if (typeof key !== 'number' && typeof key !== 'bigint')
        throw new Error(`cannot index slice/array with type ${goTypeName(key)}`);
      if (index < 0 || index >= at.length) throw new Error(`index out of range: ${key}`);
      at = typeof at === 'string' ? at.charCodeAt(index) : at[index];
    } else if (isObject(at)) {
      if (typeof key !== 'string') throw new Error(`value has type ${goTypeName(key)}; should be string`);
      at = Object.hasOwn(at, key) ? at[key] : undefined;
    } else throw new Error(`can't index item of type ${goTypeName(at)}`);
  }
  // What a map does not hold is the zero value of its elements, which for Docker's maps prints as nothing.
  return at === undefined ? '' : at;
}

function compare(left: unknown, right: unknown): number {
  const comparable = (value: unknown): value is string | number | bigint =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
  if (!comparable(left) || !comparable(right) || (typeof left === 'string') !== (typeof right === 'string'))
    throw new Error('incompatible types for comparison');
  return left < right ? -1 : left > right ? 1 : 0;
}

function equal(left: unknown, right: unknown): boolean {
  if (typeof left === 'string' && typeof right === 'number') throw new Error('incompatible types for comparison');
  if (typeof left === 'number' && typeof right === 'string') throw new Error('incompatible types for comparison');
  // A bigint equals the number of the same value.
  // biome-ignore lint/suspicious/noDoubleEquals: number and bigint compare by value
  return typeof left === typeof right ? left === right : isNumeric(left) && isNumeric(right) && left == right;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  if (value === null) return 0;
  throw new Error(`len of type ${goTypeName(value)}`);
}

/** A blank between operands where neither is a string. */
function printAll(values: unknown[]): string {
  return values
    .map((value, index) => {
      const blank = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string';
      return `${blank ? ' ' : ''}${value === null || value === undefined ? '<nil>' : printValue(value)}`;
    })
    .join('');
}

function sliceOf(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) throw new Error(`slice of type ${goTypeName(value)}`);
  const end = to === undefined ? value.length : Number(to);
  if (end > value.length || Number(from) > end) throw new Error(`index out of range: ${Math.max(end, Number(from))}`);
  return value.slice(Number(from), end);
}

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new Error(`wrong type for value; expected string; got ${goTypeName(value)}`);
};

const htmlEscapes: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&#34;', "'": '&#39;' };

export const templateFunctions: Record<string, TemplateFunction> = {
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  len: lengthOf,
  index: (value, ...keys) => indexInto(value, keys),
  slice: sliceOf,
  print: (...values) => printAll(values),
  println: (...values) => `${values.map((value) => (value === null ? '<nil>' : printValue(value))).join(' ')}\n`,
  printf: (format, ...values) => formatPrintf(text(format), values),
  html: (...values) => printAll(values).replace(/[<>&"']/g, (character) => htmlEscapes[character] as string),
  urlquery: (...values) => encodeURIComponent(printAll(values)).replaceAll('%20', '+'),
  js: (...values) => JSON.stringify(printAll(values)).slice(1, -1),
  eq: (left, ...others) => others.some((other) => equal(left, other)),
  ne: (left, right) => !equal(left, right),
  lt: (left, right) => compare(left, right) < 0,
  le: (left, right) => compare(left, right) <= 0,
  gt: (left, right) => compare(left, right) > 0,
  ge: (left, right) => compare(left, right) >= 0,
  json: toJson,
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) =>
    (Array.isArray(values) ? values : []).map((value) => printValue(value)).join(text(separator)),
  title: (value) =>
    text(value).replace(
      /(^|[\s])(\p{Ll})/gu,
      (_whole, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) =>
    text(value) === '' ? '' : ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  truncate: (value, length) => [...text(value)].slice(0, Number(length)).join(''),
};

export const functionNames: ReadonlySet<string> = new Set([...Object.keys(templateFunctions), 'call']);
