/** What the checks look at; tests hand in a machine of their own. */
import { access, constants, readFile, statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface Probe {
  readonly isRoot: boolean;
  /** Text of a small file, trimmed; null where it cannot be read. */
  read(path: string): Promise<string | null>;
  /** Path of an installed program; null: none. */
  program(name: string): Promise<string | null>;
  /** What a program prints; null where it fails or is not there. */
  output(argv: readonly string[]): Promise<string | null>;
  /** Bytes and inodes of the file system that holds a path, or would hold it. */
  space(path: string): Promise<Space | null>;
  /** HTTP status of a GET; the error's words where nobody answers. */
  ask(url: string): Promise<number | string>;
  /** What the engine says under `path`; null where none answers. */
  engine(path: string): Promise<unknown>;
}

export interface Space {
  bytes: number;
  freeBytes: number;
  /** 0: the file system does not count them. */
  inodes: number;
  freeInodes: number;
}

/** Milliseconds for anything outside this machine. */
const patience = 4000;

/** @param socket of the engine */
export function machineProbe(socket: string): Probe {
  return {
    isRoot: process.getuid?.() === 0,
    read: (path) => readFile(path, 'utf8').then((text) => text.trim(), nothing),
    program: findProgram,
    async output(argv) {
      if (!(await findProgram(argv[0] as string))) return null;
      const child = Bun.spawn([...argv], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore', timeout: patience });
      const text = await child.stdout.text();
      return (await child.exited) === 0 ? text.trim() : null;
    },
    space: spaceOf,
    ask: (url) =>
      fetch(url, { signal: AbortSignal.timeout(patience) }).then(
        ({ status }) => status,
        (error: Error) => error.message,
      ),
    engine: (path) =>
      fetch(`http://engine${path}`, { unix: socket, signal: AbortSignal.timeout(patience) }).then(
        (response) => (response.ok ? response.json() : null),
        nothing,
      ),
  };
}

function nothing(): null {
  return null;
}

async function findProgram(name: string): Promise<string | null> {
  for (const directory of (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(delimiter)) {
    const path = join(directory, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

/** Of the nearest directory that is there: the engine makes its own. */
async function spaceOf(path: string): Promise<Space | null> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(path);
    return { bytes: bsize * blocks, freeBytes: bsize * bavail, inodes: files, freeInodes: ffree };
  } catch {
    return path === '/' ? null : await spaceOf(join(path, '..'));
  }
}
