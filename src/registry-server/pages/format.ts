/** Sizes, times and digests as people read them. */
import { type Html, html } from './html.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** As docker writes sizes: powers of a thousand, three or four digits. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

const steps: [seconds: number, unit: string][] = [
  [365.25 * 86_400, 'year'],
  [30.44 * 86_400, 'month'],
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];

/** How long ago, with the moment itself behind it. @param time milliseconds since 1970 */
export function timeElement(time: number): Html {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return html`at an unknown time`;
  const exact = date.toISOString();
  return html`<time datetime="${exact}" title="${exact.slice(0, 19).replace('T', ' ')} UTC">${agoText(Date.now() - time)}</time>`;
}

/** @param elapsed milliseconds */
function agoText(elapsed: number): string {
  const seconds = elapsed / 1000;
  for (const [step, unit] of steps) if (seconds >= step) return `${countText(Math.floor(seconds / step), unit)} ago`;
  return 'just now';
}

export function shortDigest(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm === 'sha256' ? '' : `${algorithm}:`}${hex.slice(0, 12)}`;
}
