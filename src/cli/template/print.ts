/** Values as Go prints them. */

/** A row of a list brings its JSON text itself. */
export const rowText = Symbol('JSON text');

/** A plain object, Go's map. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `%v` */
export function printValue(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(printNested).join(' ')}]`;
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${printNested(value[key])}`)
      .join(' ')}]`;
  if (typeof value === 'number') return printNumber(value);
  return String(value);
}

function printNested(value: unknown): string {
  return value === null || value === undefined ? '<nil>' : printValue(value);
}

/** Go's `%v` of a float64 has an exponent from 21 digits on, as JavaScript's numbers have. */
function printNumber(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Go's truth: false, 0, "", nil and what is empty are not. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '' || value === 0 || value === 0n)
    return false;
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) ? Object.keys(value).length > 0 : true;
}

/** `json` of Go: `<`, `>` and `&` stay as they are (Docker turns HTML escapes off). */
export function toJson(value: unknown): string {
  if (isObject(value) && rowText in value) return (value as { [rowText]: () => string })[rowText]();
  return JSON.stringify(value ?? null, (_key, item: unknown) =>
    typeof item === 'bigint' ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(item.toString()) : item,
  );
}

/** Go's Printf: the verbs v, s, d, q, t, x, X, o, b, c, e, f, g, U and %%, with flags, width and precision. */
export function formatPrintf(format: string, values: unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])/g,
    (_whole, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const shown = formatVerb(verb, values[next++], precision, flags);
      if (flags.includes('-')) return shown.padEnd(Number(width));
      return flags.includes('0') && verb !== 's' && verb !== 'v' && verb !== 'q'
        ? zeroPad(shown, Number(width))
        : shown.padStart(Number(width));
    },
  );
  if (next >= values.length) return text;
  const extra = values.slice(next).map((value) => `${goTypeName(value)}=${printNested(value)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function zeroPad(text: string, width: number): string {
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
}

function formatVerb(verb: string, value: unknown, precision: string | undefined, flags: string): string {
  const sign = (text: string): string => (flags.includes('+') && !text.startsWith('-') ? `+${text}` : text);
  const numeric = typeof value === 'number' || typeof value === 'bigint';
  const digits = precision === undefined ? 6 : Number(precision);
  if (verb === 'v') return numeric ? sign(printNested(value)) : printNested(value);
  if (verb === 's' && typeof value === 'string')
    return precision === undefined ? value : [...value].slice(0, digits).join('');
  if (verb === 's' && !numeric && typeof value !== 'boolean') return printNested(value);
  if (verb === 'q' && typeof value === 'string') return JSON.stringify(value);
  if (verb === 't' && typeof value === 'boolean') return String(value);
  if (verb === 'x' && typeof value === 'string') return Buffer.from(value).toString('hex');
  if (numeric) {
    if (verb === 'd') return sign(BigInt(Math.trunc(Number(value))) === BigInt(value) ? String(value) : String(value));
    if (verb === 'x' || verb === 'X') return verb === 'x' ? value.toString(16) : value.toString(16).toUpperCase();
    if (verb === 'o') return value.toString(8);
    if (verb === 'b') return value.toString(2);
    if (verb === 'c') return String.fromCodePoint(Number(value));
    if (verb === 'f' || verb === 'F') return sign(Number(value).toFixed(digits));
    if (verb === 'e')
      return sign(
        Number(value)
          .toExponential(digits)
          .replace(/e([+-])(\d)$/, 'e$10$2'),
      );
    if (verb === 'g') return sign(printNested(value));
  }
  return `%!${verb}(${goTypeName(value)}=${printNested(value)})`;
}

export function goTypeName(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'bigint') return 'int64';
  return value === null || value === undefined ? '<nil>' : 'string';
}
