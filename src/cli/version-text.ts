import { version } from '../../package.json';

/** The Docker command line whose grammar and output this one has. */
export const compatibleVersion = '28.5.2';

export const berthVersion = version;

export function shortVersion(): string {
  return `berth version ${berthVersion} (Docker ${compatibleVersion} compatible)`;
}
