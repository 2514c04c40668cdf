/** The host's mounts (proc(5), mountinfo). */

export interface MountTableEntry {
  mountPoint: string;
  shared: boolean;
  slave: boolean;
  /** Those of the mount itself, not of its file system: `ro`, `nosuid`, … */
  options: readonly string[];
}

export type MountTable = readonly MountTableEntry[];

/** @param text of /proc/self/mountinfo */
export function parseMountTable(text: string): MountTable {
  const entries: MountTableEntry[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const mountPoint = fields[4];
    if (!mountPoint) continue;
    const tags = fields.slice(6, fields.indexOf('-'));
    entries.push({
      mountPoint: unescapePath(mountPoint),
      shared: tags.some((tag) => tag.startsWith('shared:')),
      slave: tags.some((tag) => tag.startsWith('master:')),
      options: (fields[5] ?? '').split(','),
    });
  }
  return entries;
}

/** The mount that `path` lies on: the last one whose mount point is a parent. */
export function mountOf(table: MountTable, path: string): MountTableEntry {
  let best: MountTableEntry = { mountPoint: '/', shared: false, slave: false, options: [] };
  for (const entry of table) {
    const below = entry.mountPoint === '/' || path === entry.mountPoint || path.startsWith(`${entry.mountPoint}/`);
    if (below && entry.mountPoint.length >= best.mountPoint.length) best = entry;
  }
  return best;
}

/** The kernel writes blanks and backslashes of a path in octal. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
