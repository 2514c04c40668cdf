/** The host's mounts, as far as propagation asks for them (proc(5), mountinfo). */

export interface MountTableEntry {
  mountPoint: string;
  shared: boolean;
  slave: boolean;
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
    });
  }
  return entries;
}

/** The mount that `path` lies on: the last one whose mount point is a parent. */
export function propagationOf(table: MountTable, path: string): MountTableEntry {
  let best: MountTableEntry = { mountPoint: '/', shared: false, slave: false };
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
