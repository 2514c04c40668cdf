/** Sizes as Docker writes and reads them. */
import { BerthError } from '../api/errors.ts';

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

function scaled(size: number, base: number, units: readonly string[]): { value: number; unit: string } {
  let value = size;
  let index = 0;
  while (value >= base && index < units.length - 1) {
    value /= base;
    index++;
  }
  return { value, unit: units[index] as string };
}

/** As C's %.<digits>g. */
function significant(value: number, digits: number): string {
  const text = value.toPrecision(digits);
  return text.includes('e') ? String(Number(text)) : text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Bytes in powers of 1000 with four significant digits: `2.065MB`. */
export function humanSize(bytes: number, precision = 4): string {
  const { value, unit } = scaled(bytes, 1000, decimalUnits);
  return `${significant(value, precision)}${unit}`;
}

/** Bytes in powers of 1024 with four significant digits: `1.952GiB`. */
export function binarySize(bytes: number): string {
  const { value, unit } = scaled(bytes, 1024, binaryUnits);
  return `${significant(value, 4)}${unit}`;
}

/**
 * `64m`, `1.5g`, `1024`, `2GiB` → bytes in powers of 1024, as `docker run -m` reads them.
 * Error: `invalid` in Docker's words.
 */
export function parseBinarySize(text: string): number {
  return parseSize(text, 1024);
}

/** As `parseBinarySize`, in powers of 1000. */
export function parseDecimalSize(text: string): number {
  return parseSize(text, 1000);
}

function parseSize(text: string, base: number): number {
  const match = /^(-?\d*\.?\d+|-?\d+\.)[ ]?([a-z]*)$/i.exec(text);
  const number = match ? Number(match[1]) : Number.NaN;
  if (!match || Number.isNaN(number)) throw new BerthError('invalid', `invalid size: '${text}'`);
  if (number < 0) throw new BerthError('invalid', `invalid size: '${text}'`);
  const suffix = (match[2] as string).toLowerCase();
  if (suffix === '' || suffix === 'b') return Math.trunc(number);
  const power = 'kmgtpezy'.indexOf(suffix[0] as string);
  if (power < 0 || !/^.(b|ib)?$/.test(suffix)) throw new BerthError('invalid', `invalid suffix: '${match[2]}'`);
  return Math.trunc(number * base ** (power + 1));
}
