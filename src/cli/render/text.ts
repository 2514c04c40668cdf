/** Small pieces of text that several tables have. */

/** The first twelve digits of an id. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** At most `length` characters; the last one tells that something is missing. */
export function ellipsis(text: string, length: number): string {
  if (text.length <= length) return text;
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

const two = (value: number): string => String(value).padStart(2, '0');

function localParts(date: Date): { stamp: string; offset: string; zone: string } {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const stamp = `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const minutes = -date.getTimezoneOffset();
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  const zone = /\(([A-Z]{2,5})\)/.exec(String(date))?.[1] ?? zoneName(date, offset);
  return { stamp, offset, zone };
}

/** `UTC`, `CET`; the offset where the zone has no short name. */
function zoneName(date: Date, offset: string): string {
  if (offset === '+0000') return 'UTC';
  const name = date.toLocaleTimeString('en-US', { timeZoneName: 'short' }).split(' ').at(-1) ?? '';
  return /^[A-Z]{2,5}$/.test(name) ? name : offset.slice(0, 3);
}

/** Unix seconds as Go prints a local time: `2026-11-21 10:05:52 +0000 UTC`. */
export function localTime(seconds: number): string {
  const { stamp, offset, zone } = localParts(new Date(seconds * 1000));
  return `${stamp} ${offset} ${zone}`;
}

/** RFC 3339 as Go prints the same time (UTC), its fraction kept. */
export function goTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+?)0*)?Z$/.exec(text);
  if (!match) return text;
  return `${match[1]} ${match[2]}${match[3] ? `.${match[3]}` : ''} +0000 UTC`;
}
