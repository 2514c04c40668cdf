import { BerthError, errorKind } from '../../api/errors.ts';
import type { FileSource } from '../session/file-source.ts';
import { smallFile } from '../session/layered-files.ts';

/**
 * `--chown`: names are looked up in the tree's own /etc/passwd and /etc/group; a number without a group is the group too. Null: nobody was
 * named. Error: `invalid` for a name that the tree does not know.
 */
export async function ownerOf(text: string, tree: FileSource): Promise<{ uid: number; gid: number } | null> {
  if (text === '') return null;
  const separator = text.indexOf(':');
  const user = separator < 0 ? text : text.slice(0, separator);
  const group = separator < 0 ? '' : text.slice(separator + 1);
  const found = /^\d+$/.test(user)
    ? { uid: Number(user), gid: Number(user) }
    : user === ''
      ? { uid: 0, gid: 0 }
      : await userByName(user, tree);
  if (group === '') return found;
  return { uid: found.uid, gid: /^\d+$/.test(group) ? Number(group) : await groupByName(group, tree) };
}

async function userByName(name: string, tree: FileSource): Promise<{ uid: number; gid: number }> {
  for (const [own, , uid, gid] of await rows(tree, '/etc/passwd'))
    if (own === name) return { uid: Number(uid), gid: Number(gid) };
  throw new BerthError('invalid', `unable to find user ${name}: no matching entries in passwd file`);
}

async function groupByName(name: string, tree: FileSource): Promise<number> {
  for (const [own, , gid] of await rows(tree, '/etc/group')) if (own === name) return Number(gid);
  throw new BerthError('invalid', `unable to find group ${name}: no matching entries in group file`);
}

async function rows(tree: FileSource, path: string): Promise<string[][]> {
  return ((await smallFile(tree, path)) ?? '').split('\n').map((line) => line.split(':'));
}

/** As `ownerOf`; root where the tree does not know the names. */
export async function ownerIfKnown(text: string, tree: FileSource): Promise<{ uid: number; gid: number }> {
  const root = { uid: 0, gid: 0 };
  try {
    return (await ownerOf(text, tree)) ?? root;
  } catch (error) {
    if (errorKind(error) === 'invalid') return root;
    throw error;
  }
}
