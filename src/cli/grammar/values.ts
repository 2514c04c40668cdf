/** The texts of option values, read as Docker's command line reads them; the errors are its words too. */
import { goBoolean, notBoolean } from '../../base/go-boolean.ts';
import { parseBinarySize } from '../../wire/size.ts';
import { parseDuration } from '../../wire/time.ts';

export function parseBoolean(text: string): boolean {
  const value = goBoolean(text);
  if (value === null) throw new Error(notBoolean(text));
  return value;
}

/** A 64-bit signed integer; decimal, or with 0x, 0o, 0b in front. */
export function parseInteger(text: string): number {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)$/.exec(text);
  if (!match) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const digits = (match[2] as string).replace(/^0(?=[0-7])/, '0o').toLowerCase();
  const value = BigInt(digits) * (match[1] === '-' ? -1n : 1n);
  if (value !== BigInt.asIntN(64, value))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return Number(value);
}

export function parseUnsigned16(text: string): number {
  const match = /^(0[xX][0-9a-fA-F]+|\d+)$/.exec(text);
  if (!match) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value > 0xffff) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

/** Bytes with a binary unit: `512m`, `1.5GiB`, `100`; −1 stands for no limit. Error: `invalid size: '<text>'`. */
export function parseBytesOrUnlimited(text: string): number {
  return text === '-1' ? -1 : parseBinarySize(text);
}

/** Go's durations, `1h2m3.5s`, to nanoseconds. */
export function parseNanoseconds(text: string): number {
  return Number(parseDuration(text));
}

/** CPUs as a decimal or a fraction, to 10^-9 CPUs. */
export function parseNanoCpus(text: string): number {
  const fraction = /^([+-]?\d+)\/(\d+)$/.exec(text);
  const value = fraction ? Number(fraction[1]) / Number(fraction[2]) : Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || !/^[+-]?[\d.]+(e[+-]?\d+)?$|\//i.test(text))
    throw new Error(`failed to parse ${text} as a rational number`);
  const nano = value * 1e9;
  if (Math.abs(nano - Math.round(nano)) > 1e-6) throw new Error('value is too precise');
  return Math.round(nano);
}

/** One line of comma separated values with quotes (RFC 4180). */
export function splitCsv(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let field = '';
      at++;
      for (;;) {
        const end = line.indexOf('"', at);
        if (end < 0)
          throw new Error(`parse error on line 1, column ${line.length + 1}: extraneous or missing " in quoted-field`);
        field += line.slice(at, end);
        at = end + 1;
        if (line[at] !== '"') break;
        field += '"';
        at++;
      }
      if (at < line.length && line[at] !== ',')
        throw new Error(`parse error on line 1, column ${at}: extraneous or missing " in quoted-field`);
      fields.push(field);
    } else {
      const comma = line.indexOf(',', at);
      const end = comma < 0 ? line.length : comma;
      const field = line.slice(at, end);
      const quote = field.indexOf('"');
      if (quote >= 0) throw new Error(`parse error on line 1, column ${at + quote + 1}: bare " in non-quoted-field`);
      fields.push(field);
      at = end;
    }
    if (at >= line.length) return fields;
    at++;
  }
}
