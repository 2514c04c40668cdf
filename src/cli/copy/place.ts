/** Where a copy ends up, by the rules of `docker cp`. */
import { ExitStatus } from '../command.ts';

export interface Source {
  /** The name of the archive's first entry; `.` for the contents of a directory. */
  base: string;
  /** The name that it has for the user, where a link was followed. */
  shown: string;
  isDirectory: boolean;
}

export interface Destination {
  path: string;
  exists: boolean;
  isDirectory: boolean;
}

export interface Place {
  /** Exists already. */
  directory: string;
  /** What the first entry is called there. */
  name: string;
}

/** Directory and last name of a path; `/.` at the end, and the root, have the name `.`. */
export function splitPath(path: string): { directory: string; base: string } {
  if (path === '' || path === '/' || path === '/.') return { directory: '/', base: '.' };
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  const directory = slash === 0 ? '/' : trimmed.slice(0, Math.max(0, slash));
  return { directory: directory || '.', base: trimmed.slice(slash + 1) };
}

/** Errors: a directory onto a file; a directory that is asked for by a slash and is not there. */
export function placeCopy(source: Source, destination: Destination): Place {
  if (destination.exists && destination.isDirectory) return { directory: destination.path, name: source.shown };
  if (destination.exists && source.isDirectory) throw new ExitStatus(1, 'cannot copy directory');
  const { directory, base } = splitPath(destination.path);
  if (!destination.exists && !source.isDirectory && /\/\.?$/.test(destination.path))
    throw new ExitStatus(1, 'no such directory');
  return { directory, name: base };
}
