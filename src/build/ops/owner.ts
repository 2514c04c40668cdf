import type { FileSource } from '../session/file-source.ts';
import { smallFile } from '../session/layered-files.ts';

export interface Owner {
  uid: number;
  gid: number;
}

const root: Owner = { uid: 0, gid: 0 };
const largestId = 2 ** 32 - 1;

/**
 * `--chown` and the USER of a WORKDIR as BuildKit reads them: a number without a group is the group too, names are looked up in the tree's own
 * /etc/passwd and /etc/group. A user who is not there is root, a group that is not there the user's own, an empty one root's. Null: nobody was
 * named.
 */
export async function ownerOf(text: string, tree: FileSource): Promise<Owner | null> {
  if (text === '') return null;
  const separator = text.indexOf(':');
  const user = separator < 0 ? text : text.slice(0, separator);
  const found = await userOf(user, tree);
  if (separator < 0) return found;
  const group = text.slice(separator + 1);
  return { uid: found.uid, gid: group === '' ? 0 : ((await groupOf(group, tree)) ?? found.gid) };
}

async function userOf(user: string, tree: FileSource): Promise<Owner> {
  const id = numeric(user);
  if (id !== null) return { uid: id, gid: id };
  const row = (await rows(tree, '/etc/passwd')).find(([name]) => name === user);
  return user === '' || !row ? root : { uid: Number(row[2]), gid: Number(row[3]) };
}

async function groupOf(group: string, tree: FileSource): Promise<number | null> {
  const id = numeric(group);
  if (id !== null) return id;
  const row = (await rows(tree, '/etc/group')).find(([name]) => name === group);
  return row ? Number(row[2]) : null;
}

function numeric(text: string): number | null {
  return /^\d+$/.test(text) && Number(text) <= largestId ? Number(text) : null;
}

async function rows(tree: FileSource, path: string): Promise<string[][]> {
  return ((await smallFile(tree, path)) ?? '').split('\n').map((line) => line.split(':'));
}
