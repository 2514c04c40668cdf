import { constants } from 'node:os';
import { BerthError } from '../api/errors.ts';

export const sigkill = 9;
export const sigterm = 15;

const realtime = { least: 34, most: 64 };
const highest = 64;

const byName = new Map<string, number>(
  Object.entries(constants.signals).map(([name, number]) => [name.replace(/^SIG/, ''), number]),
);
for (let offset = 0; offset <= realtime.most - realtime.least; offset++) {
  byName.set(offset === 0 ? 'RTMIN' : `RTMIN+${offset}`, realtime.least + offset);
  byName.set(offset === 0 ? 'RTMAX' : `RTMAX-${offset}`, realtime.most - offset);
}

/** `TERM`, `SIGTERM`, `sigterm`, `15` → 15. Error: `invalid` in dockerd's words. */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number < 1 || number > highest) throw new BerthError('invalid', `invalid signal: ${text}`);
    return number;
  }
  const number = byName.get(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined) throw new BerthError('invalid', `invalid signal: ${text}`);
  return number;
}
