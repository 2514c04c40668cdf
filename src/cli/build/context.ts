/** What a build is made of, as the command line names it: a folder, an archive, an address; and the Dockerfile. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { errorMessage } from '../../api/errors.ts';
import type { BuildStart } from '../../api/types/build.ts';
import { ContextFiles } from '../../client/build/context-files.ts';
import { IgnoreRules, parseIgnoreFile } from '../../wire/ignore-patterns.ts';
import { ExitStatus } from '../command.ts';
import { standardInput } from '../streams/terminal.ts';

export interface OpenedContext {
  kind: BuildStart['context'];
  /** Null: the engine finds it in the context. */
  dockerfile: BuildStart['dockerfile'];
  /** Its path in the context. */
  dockerfilePath: string;
  /** Named contexts as the engine gets them; folders of this machine are `files`. */
  named: Record<string, string>;
  place: string;
  /** Lines of .dockerignore; empty where the engine finds them. */
  ignored: readonly string[];
  files(name: string): Promise<ContextFiles | null>;
  tar(): AsyncIterable<Uint8Array>;
}

interface Wish {
  /** As given by `-f`; empty: not given. */
  file: string;
  named: Record<string, string>;
}

const isAddress = /^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/|github\.com\/)/;

/** Errors: exit status 1 in Docker's words for a folder or Dockerfile that is not there. */
export async function openContext(place: string, wish: Wish): Promise<OpenedContext> {
  const named = Object.fromEntries(Object.entries(wish.named).map(([name, value]) => [name, namedValue(value)]));
  const folders = new Map<string, () => Promise<ContextFiles>>();
  for (const [name, value] of Object.entries(wish.named))
    if (named[name] === 'files') folders.set(name, () => openFolder(value.replace(/^oci-layout:\/\//, '')));
  const common = {
    named,
    ignored: [],
    place: `${hostname()}:${resolve(place)}`,
    dockerfilePath: wish.file === '-' ? '' : wish.file,
  };
  if (place === '-') return stdinContext(wish, { ...common, place: `${hostname()}:-` }, folders);
  if (isAddress.test(place)) {
    return {
      ...common,
      place,
      kind: { kind: 'remote', url: place },
      dockerfile: wish.file === '-' ? await stdinDockerfile() : null,
      files: async (name) => (await folders.get(name)?.()) ?? null,
      tar: noTar,
    };
  }
  const folder = await folderAt(place);
  const dockerfile = await readDockerfile(folder, wish.file);
  const ignored = await ignoredPatterns(folder, dockerfile.path);
  let main: ContextFiles | null = null;
  return {
    ...common,
    place: `${hostname()}:${folder}`,
    dockerfilePath: dockerfile.inContext,
    kind: { kind: 'files' },
    dockerfile: { name: dockerfile.name, text: dockerfile.text },
    ignored,
    files: async (name) => {
      if (name !== 'context') return (await folders.get(name)?.()) ?? null;
      main ??= new ContextFiles(folder, ignoreRules(ignored));
      return main;
    },
    tar: noTar,
  };
}

async function* noTar(): AsyncGenerator<Uint8Array> {
  // the context is no archive
}

/** `files` stands for whatever is on this machine. */
function namedValue(value: string): string {
  return isAddress.test(value) || value.startsWith('docker-image://') || value.startsWith('target:') ? value : 'files';
}

async function openFolder(path: string): Promise<ContextFiles> {
  const folder = await folderAt(path);
  return new ContextFiles(folder, ignoreRules(await ignoredPatterns(folder, join(folder, 'Dockerfile'))));
}

async function folderAt(path: string): Promise<string> {
  let folder: string;
  try {
    folder = await realpath(path);
  } catch {
    throw new ExitStatus(1, `ERROR: unable to prepare context: path ${JSON.stringify(path)} not found`);
  }
  if (!(await stat(folder)).isDirectory())
    throw new ExitStatus(1, `ERROR: unable to prepare context: the context must be a directory: ${path}`);
  return folder;
}

interface ReadDockerfile {
  name: string;
  text: string;
  /** On this machine. */
  path: string;
  /** In the context, where it is there. */
  inContext: string;
}

async function readDockerfile(folder: string, file: string): Promise<ReadDockerfile> {
  if (file === '-') return { ...(await stdinDockerfile()), path: join(folder, 'Dockerfile'), inContext: '' };
  const path = file === '' ? join(folder, 'Dockerfile') : await firstThere([resolve(file), join(folder, file)]);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    // The name in small letters is Docker's second guess.
    if (file === '') {
      const lower = join(folder, 'dockerfile');
      const found = await readFile(lower, 'utf8').catch(() => null);
      if (found !== null) return { name: 'dockerfile', text: found, path: lower, inContext: 'dockerfile' };
    }
    throw new ExitStatus(
      1,
      `ERROR: failed to build: failed to solve: failed to read dockerfile: ${unreadable(basename(path), error)}`,
    );
  }
  const within = relative(folder, path);
  return {
    name: within.startsWith('..') || isAbsolute(within) ? basename(path) : within,
    text,
    path,
    inContext: within,
  };
}

async function firstThere(paths: readonly string[]): Promise<string> {
  for (const path of paths) if (await stat(path).catch(() => null)) return path;
  return paths[0] as string;
}

/** `Dockerfile.dockerignore` beside the Dockerfile goes before `.dockerignore` of the context. */
async function ignoredPatterns(folder: string, dockerfile: string): Promise<string[]> {
  const own = join(dirname(dockerfile), `${basename(dockerfile)}.dockerignore`);
  const text = (await textOf(own)) ?? (await textOf(join(folder, '.dockerignore'))) ?? '';
  return parseIgnoreFile(text);
}

/** Paths of contexts are bytes, each a character. */
function ignoreRules(patterns: readonly string[]): IgnoreRules {
  return new IgnoreRules(patterns.map((pattern) => Buffer.from(pattern, 'utf8').toString('latin1')));
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

async function stdinDockerfile(): Promise<{ name: string; text: string }> {
  const parts: Uint8Array[] = [];
  for await (const bytes of standardInput()) parts.push(bytes);
  return { name: 'Dockerfile', text: Buffer.concat(parts).toString('utf8') };
}

const tarMagicOffset = 257;
const packedMagics = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
];

/** An archive on standard input is the context; anything else the Dockerfile of a build without one. */
async function stdinContext(
  wish: Wish,
  common: Pick<OpenedContext, 'named' | 'ignored' | 'place' | 'dockerfilePath'>,
  folders: ReadonlyMap<string, () => Promise<ContextFiles>>,
): Promise<OpenedContext> {
  if (wish.file === '-')
    throw new ExitStatus(1, 'ERROR: invalid argument: can’t use stdin for both build context and dockerfile');
  const source = standardInput()[Symbol.asyncIterator]();
  const start = await readStart(source);
  const files = async (name: string): Promise<ContextFiles | null> => (await folders.get(name)?.()) ?? null;
  const isTar = start.toString('latin1', tarMagicOffset, tarMagicOffset + 5) === 'ustar';
  const isPacked = packedMagics.some((magic) => magic.every((byte, index) => start[index] === byte));
  if (isTar || isPacked)
    return { ...common, kind: { kind: 'tar' }, dockerfile: null, files, tar: () => follow(start, source) };
  const parts: Uint8Array[] = [];
  for await (const bytes of follow(start, source)) parts.push(bytes);
  const text = Buffer.concat(parts).toString('utf8');
  const none: AsyncIterable<Uint8Array> = emptyTar();
  return { ...common, kind: { kind: 'tar' }, dockerfile: { name: 'Dockerfile', text }, files, tar: () => none };
}

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024);
}

async function readStart(source: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < 512) {
    const next = await source.next();
    if (next.done) break;
    parts.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(parts);
}

async function* follow(start: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
}

/** Why a file cannot be read, as Go says it. */
function unreadable(name: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return `open ${name}: no such file or directory`;
  if (code === 'EISDIR') return `read ${name}: is a directory`;
  return code === 'EACCES' ? `open ${name}: permission denied` : errorMessage(error);
}
