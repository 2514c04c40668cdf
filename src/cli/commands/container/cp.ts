import { lstat, realpath, stat } from 'node:fs/promises';
import { errorKind } from '../../../api/errors.ts';
import {
  fileModeDirectory,
  fileModeSymlink,
  hasFileMode,
  readContainerArchive,
  statContainerPath,
  writeContainerArchive,
} from '../../../client/containers/archive.ts';
import { humanSize } from '../../../wire/size.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { packLocal, unpackLocal } from '../../copy/local-tar.ts';
import { type Destination, placeCopy, splitPath } from '../../copy/place.ts';
import { resolvePath } from '../../run-options/mounts.ts';
import { standardInput } from '../../streams/terminal.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tberth cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  options: {
    archive: { kind: 'bool', short: 'a', help: 'Keep user and group of files' },
    'follow-link': { kind: 'bool', short: 'L', help: 'Copy what a link leads to' },
    quiet: { kind: 'bool', short: 'q', help: 'Do not tell that it is done' },
  },
  words: { least: 2, most: 2 },
  complete: 'files',
  async run({ cli, options, words }) {
    const [from, to] = words.map(splitContainer) as [Side, Side];
    if (from.container !== undefined && to.container !== undefined)
      throw new ExitStatus(1, 'copying between containers is not supported');
    let bytes: number;
    if (from.container !== undefined)
      bytes = await copyOut(cli, { container: from.container, path: from.path }, to.path, options);
    else if (to.container !== undefined)
      bytes = await copyIn(cli, from.path, { container: to.container, path: to.path }, options);
    else throw new ExitStatus(1, 'must specify at least one container source');
    if (!options.quiet && from.path !== '-' && to.path !== '-') await tellDone(cli, bytes, words[1] as string);
    return 0;
  },
});

interface Side {
  /** Undefined: this machine. */
  container?: string;
  path: string;
}

interface Inside {
  container: string;
  path: string;
}

interface CopyFlags {
  archive: boolean;
  'follow-link': boolean;
}

/** `CONTAINER:PATH`; a path that begins with `/` or `.` is this machine's whatever stands in it. */
function splitContainer(text: string): Side {
  const colon = text.indexOf(':');
  if (text === '-' || text.startsWith('/') || text.startsWith('.') || colon <= 0) return { path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

async function tellDone(cli: Cli, bytes: number, destination: string): Promise<void> {
  const { isTerminal } = await import('../../streams/terminal.ts');
  if (await isTerminal(2)) await cli.err.write(`Successfully copied ${humanSize(bytes, 3)} to ${destination}\n`);
}

/** Both directions give the number of bytes of the archive that went over, as Docker counts. */
async function copyOut(cli: Cli, from: Inside, to: string, flags: CopyFlags): Promise<number> {
  let path = from.path;
  let renamed: string | undefined;
  if (flags['follow-link']) {
    const found = await statContainerPath(cli.client, from.container, path);
    if (hasFileMode(found, fileModeSymlink)) {
      renamed = splitPath(path).base;
      path = insidePath(path, found.linkTarget);
    }
  }
  const { stat: found, content } = await readContainerArchive(cli.client, from.container, path);
  if (to === '-') {
    for (let bytes = await content.body.read(); bytes !== null; bytes = await content.body.read())
      await cli.out.write(bytes);
    content.close();
    return 0;
  }
  const source = {
    base: splitPath(path).base,
    shown: renamed ?? splitPath(path).base,
    isDirectory: hasFileMode(found, fileModeDirectory),
  };
  const place = placeCopy(source, await localDestination(to));
  let total = 0;
  const counted = {
    take: (): undefined => undefined,
    async read(): Promise<Uint8Array | null> {
      const bytes = await content.body.read();
      total += bytes?.length ?? 0;
      return bytes;
    },
  };
  await unpackLocal(counted, place.directory, { from: source.base, to: place.name, keepOwner: flags.archive });
  content.close();
  return total;
}

async function copyIn(cli: Cli, from: string, to: Inside, flags: CopyFlags): Promise<number> {
  if (to.path === '') throw new ExitStatus(1, 'no such directory');
  const destination = await insideDestination(cli, to);
  if (from === '-') {
    if (!destination.isDirectory)
      throw new ExitStatus(1, `destination "${to.container}:${to.path}" must be a directory`);
    const upload = standardInput();
    await writeContainerArchive(cli.client, to.container, {
      path: destination.path,
      upload,
      copyUidGid: flags.archive,
    });
    return 0;
  }
  const absolute = keepEnd(from, from.startsWith('/') ? from : resolvePath(from, process.cwd()));
  // A slash behind a link means what it leads to.
  const follow = flags['follow-link'] || /\/\.?$/.test(from);
  const found = await (follow ? stat(absolute) : lstat(absolute)).catch(() => {
    throw new ExitStatus(1, `lstat ${absolute}: no such file or directory`);
  });
  const shown = splitPath(absolute).base;
  const { directory, base } = splitPath(follow ? keepEnd(from, await realpath(absolute)) : absolute);
  const place = placeCopy({ base, shown, isDirectory: found.isDirectory() }, destination);
  let total = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const bytes of packLocal(directory, base, place.name)) {
      total += bytes.length;
      yield bytes;
    }
  };
  const upload = counted();
  await writeContainerArchive(cli.client, to.container, { path: place.directory, upload, copyUidGid: flags.archive });
  return total;
}

/** A slash or `/.` at the end has a meaning of its own. */
function keepEnd(written: string, resolved: string): string {
  const end = /\/\.?$/.exec(written)?.[0] ?? '';
  return `${resolved.replace(/\/\.?$/, '')}${end}` || '/';
}

async function localDestination(path: string): Promise<Destination> {
  const absolute = keepEnd(path, path.startsWith('/') ? path : resolvePath(path, process.cwd()));
  const found = await stat(absolute).catch(() => undefined);
  const parent = await stat(splitPath(absolute).directory).catch(() => undefined);
  if (!found && !parent?.isDirectory())
    throw new ExitStatus(
      1,
      `invalid output path: directory ${JSON.stringify(splitPath(absolute).directory)} does not exist`,
    );
  return { path: absolute, exists: found !== undefined, isDirectory: found?.isDirectory() ?? false };
}

/** What stands at the destination inside; a link leads on once, and a path that is not there is a name to be made. */
async function insideDestination(cli: Cli, { container, path }: Inside): Promise<Destination> {
  try {
    let shown = path;
    let found = await statContainerPath(cli.client, container, shown);
    if (hasFileMode(found, fileModeSymlink)) {
      shown = insidePath(shown, found.linkTarget);
      found = await statContainerPath(cli.client, container, shown);
    }
    return { path: shown, exists: true, isDirectory: hasFileMode(found, fileModeDirectory) };
  } catch (error) {
    if (errorKind(error) !== 'not-found') throw error;
    return { path, exists: false, isDirectory: false };
  }
}

/** Where a link inside leads. */
function insidePath(link: string, target: string): string {
  return target.startsWith('/') ? target : resolvePath(`${link.replace(/\/[^/]*$/, '')}/${target}`, '/');
}
