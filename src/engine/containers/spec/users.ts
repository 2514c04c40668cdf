/** Who a container's process runs as: names are looked up in the image's own /etc/passwd and /etc/group. */
import { BerthError } from '../../../api/errors.ts';
import type { RuntimeUser } from '../../../oci/runtime-spec.ts';

/** Text of the two files; empty where the image has none. */
export interface UserFiles {
  passwd: string;
  group: string;
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/** Largest id that dockerd takes. */
const largestId = 2 ** 31 - 1;

/**
 * @param user `name`, `uid`, `name:group`, `uid:gid` and so on; empty: uid 0
 * @param addedGroups `--group-add`: names or ids
 * Error: `invalid` in dockerd's words for a name that the files do not have.
 */
export function resolveUser(user: string, addedGroups: readonly string[], files: UserFiles): RuntimeUser {
  const separator = user.indexOf(':');
  const userPart = separator < 0 ? user : user.slice(0, separator);
  const groupPart = separator < 0 ? '' : user.slice(separator + 1);
  const groups = parseGroups(files.group);
  const entry = findUser(userPart, parsePasswd(files.passwd));
  const uid = entry ? entry.uid : checkedId(userPart === '' ? '0' : userPart, 'user', userPart);
  let gid = entry?.gid ?? 0;
  const supplementary: number[] = [];
  if (groupPart !== '') gid = groupId(groupPart, groups);
  else if (entry) {
    for (const group of groups) {
      if (group.members.includes(entry.name)) supplementary.push(group.gid);
    }
  }
  for (const group of addedGroups) supplementary.push(groupId(group, groups));
  return { uid, gid, additionalGids: [...new Set([gid, ...supplementary])] };
}

/**
 * HOME of a user that the file does not have: the root, as under Docker; crun leaves it out then. Null for a known one, which the runtime
 * looks up itself.
 */
export function homeOfUnknown(uid: number, passwd: string): string | null {
  return parsePasswd(passwd).some((entry) => entry.uid === uid) ? null : '/';
}

function findUser(wanted: string, entries: readonly PasswdEntry[]): PasswdEntry | undefined {
  if (wanted === '') return entries.find((entry) => entry.uid === 0);
  // A numeric name loses against the id it looks like, as in getpwnam(3)'s callers.
  return entries.find((entry) => entry.name === wanted || String(entry.uid) === wanted);
}

function groupId(wanted: string, groups: readonly GroupEntry[]): number {
  const entry = groups.find((group) => group.name === wanted || String(group.gid) === wanted);
  return entry ? entry.gid : checkedId(wanted, 'group', wanted);
}

function checkedId(text: string, kind: 'user' | 'group', shown: string): number {
  if (!/^-?\d+$/.test(text))
    throw new BerthError(
      'invalid',
      `unable to find ${kind} ${shown}: no matching entries in ${kind === 'user' ? 'passwd' : 'group'} file`,
    );
  const id = Number(text);
  if (id < 0 || id > largestId) throw new BerthError('invalid', `uids and gids must be in range 0-${largestId}`);
  return id;
}

/** passwd(5); lines that are none are passed over. */
function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? ''))
      entries.push({ name, uid: Number(uid), gid: Number(gid) });
  }
  return entries;
}

/** group(5) */
function parseGroups(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , gid, members] = line.trimEnd().split(':');
    if (name && /^\d+$/.test(gid ?? ''))
      entries.push({ name, gid: Number(gid), members: members ? members.split(',') : [] });
  }
  return entries;
}
