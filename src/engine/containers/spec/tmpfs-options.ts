import { BerthError } from '../../../api/errors.ts';

/** Mount flags in pairs that undo each other. */
const flagPairs: readonly (readonly string[])[] = [
  ['defaults'],
  ['ro', 'rw'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['exec', 'noexec'],
  ['sync', 'async'],
  ['dirsync'],
  ['remount'],
  ['mand', 'nomand'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['bind'],
  ['rbind'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
];
const groupOf = new Map(flagPairs.flatMap((pair, group) => pair.map((flag) => [flag, group] as const)));
const withValue = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/**
 * Docker's defaults and the user's options; of options that contradict each other the last one counts.
 * @param data comma-separated, for example `size=1m,exec`
 * Error: `invalid` in dockerd's words for an option that tmpfs does not have.
 */
export function tmpfsOptions(data: string): string[] {
  const given = ['noexec', 'nosuid', 'nodev', 'rprivate', ...data.split(',').filter((option) => option !== '')];
  const seen = new Set<string | number>();
  const result: string[] = [];
  for (const option of given.reverse()) {
    const group = groupOf.get(option);
    const key = group ?? option.split('=')[0]!;
    if (group === undefined && !(option.includes('=') && withValue.has(String(key))))
      throw new BerthError('invalid', `invalid tmpfs option "${String(key)}"`);
    if (seen.has(key)) continue;
    seen.add(key);
    result.push(option);
  }
  return result.reverse();
}
