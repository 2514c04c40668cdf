/** Builds whose context comes as one tar: `POST /build`. */
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import type { BuildOptions, BuildResult } from '../api/types/build.ts';
import { decompressor, magicLength, packedAs } from '../archive/compression.ts';
import { parsePlatform } from '../oci/platform.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { NativeHelper } from '../store/native-helper.ts';
import type { Lease } from '../store/types.ts';
import { IgnoreRules, parseIgnoreFile } from '../wire/ignore-patterns.ts';
import { BuildError } from './build-error.ts';
import type { BuildClient, BuildWork } from './build-work.ts';
import type { Builder } from './builder.ts';
import type { DockerfileSource } from './dockerfile/source-error.ts';
import { DockerfileStepError } from './ops/step-error.ts';
import type { RemoteFiles } from './ops/values.ts';
import { type FileSource, toPath } from './session/file-source.ts';
import { directoryFiles, smallFile } from './session/layered-files.ts';
import { readStart } from './session/read-file.ts';

/** A failed step in the classic builder's words, with the command's exit code. */
class ClassicStepError extends BerthError {
  readonly exitCode: number;

  constructor(error: DockerfileStepError) {
    super('internal', `The command '${error.command}' returned a non-zero code: ${error.exitCode}`, { cause: error });
    this.exitCode = error.exitCode;
  }
}

/** What a build met, as the classic builder says it. */
function inClassicWords(error: unknown): unknown {
  if (!(error instanceof BuildError)) return error;
  if (error.cause instanceof DockerfileStepError) return new ClassicStepError(error.cause);
  const [, missing] = /failed to calculate checksum of ref: "\/(.*)": not found$/.exec(error.message) ?? [];
  if (missing === undefined || />>> .*--from=/.test(error.excerpt)) return error;
  const instruction = />>> *add\s/i.test(error.excerpt) ? 'ADD' : 'COPY';
  const text = `${instruction} failed: file not found in build context or excluded by .dockerignore: stat ${missing}: file does not exist`;
  return new BerthError('not-found', text, { cause: error });
}

export interface ClassicRequest {
  options: BuildOptions;
  /** Where the context is instead of in the stream: a repository or an archive; empty: in the stream. */
  remote: string;
}

export class ClassicBuilds {
  readonly #options: { builder: Builder; store: ImageStore; remote: RemoteFiles };

  constructor(options: { builder: Builder; store: ImageStore; remote: RemoteFiles }) {
    this.#options = options;
  }

  /** Errors: those of the builder, a failed command as `ClassicStepError`. */
  async build(request: ClassicRequest, context: Readable, work: BuildWork): Promise<BuildResult> {
    const { builder, store } = this.#options;
    // One platform: what would become of the others cannot be said here.
    if (request.options.platform !== '') parsePlatform(request.options.platform);
    const lease = await store.lease('context');
    try {
      const path = request.options.dockerfile || 'Dockerfile';
      const client = await contextClient(
        this.#options,
        { path, remote: request.remote, context },
        { lease, signal: work.signal },
      );
      return await builder.build(request.options, client, {
        ...work,
        use: (built) => builder.storeImage(built, request.options.tags),
      });
    } catch (error) {
      throw inClassicWords(error);
    } finally {
      await lease.release();
    }
  }
}

export interface ContextWish {
  /** Of the Dockerfile in the context. */
  path: string;
  /** Where the context is; empty: in `context`. */
  remote: string;
  /** A tar, packed or not; null: none. */
  context: Readable | null;
  /** The Dockerfile, where it is not the context's own. */
  dockerfile?: DockerfileSource | undefined;
}

/** A client whose context the engine has whole: a tar that was sent, a repository, an archive at an address. */
export async function contextClient(
  from: { store: ImageStore; remote: RemoteFiles },
  { path, remote, context, dockerfile }: ContextWish,
  { lease, signal }: { lease: Lease; signal: AbortSignal },
): Promise<BuildClient> {
  const { helper } = from.store;
  const directory = join(lease.directory, 'context');
  if (remote === '' && context) {
    await receiveTar(helper, context, directory);
    return directoryClient(directory, { path, slot: 'classic', dockerfile });
  }
  context?.resume();
  if (!/^https?:\/\//.test(remote) || /\.git(?:#.*)?$/.test(remote)) {
    const files = await from.remote.git({ url: remote, keepGitDirectory: false, checksum: '' }, { lease, signal });
    const contextDigest = () => Promise.resolve(commitDigest(files.revision));
    return { ...(await filesClient(files, path, `git/${remote}`, dockerfile)), contextDigest };
  }
  // An archive is the context, anything else the Dockerfile alone.
  const files = await from.remote.http({ url: remote, checksum: '', filename: 'context' }, { lease, signal });
  const place = (await files.place('/context')).toString();
  const start = await readStart(place, tarBlock);
  if (packedAs(start) !== 'none' || isTarStart(start)) {
    await receiveTar(helper, createReadStream(place), directory);
    const contextDigest = () => files.digest('/context');
    return { ...(await directoryClient(directory, { path, slot: `http/${remote}`, dockerfile })), contextDigest };
  }
  await mkdir(directory, { recursive: true });
  return filesClient(directoryFiles(directory), path, `http/${remote}`, {
    name: 'Dockerfile',
    text: await readFile(place, 'utf8'),
  });
}

/** A commit by the algorithm of its name. */
export function commitDigest(commit: string | undefined): string | undefined {
  if (commit === undefined) return undefined;
  return `${commit.length === 64 ? 'sha256' : 'sha1'}:${commit}`;
}

/** Enough of a file to know a tar by. */
const tarBlock = 512;

function isTarStart(start: Buffer): boolean {
  return start.toString('latin1', 257, 262) === 'ustar';
}

/** Unpacks a context, packed or not, into a new directory. Error: `invalid` for what is no tar. */
async function receiveTar(helper: NativeHelper, stream: Readable, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await helper.unpackPlain(directory, plain(stream));
}

async function* plain(stream: Readable): AsyncGenerator<Uint8Array> {
  const source = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < magicLength) {
    const next = await source.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const all = async function* (): AsyncGenerator<Buffer> {
    yield start;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  };
  const packing = packedAs(start);
  if (packing === 'none') {
    yield* all();
    return;
  }
  const filter = decompressor(packing);
  const input = Readable.from(all());
  input.on('error', (error) => filter.destroy(error));
  yield* input.pipe(filter) as AsyncIterable<Buffer>;
}

/** A client whose context is a directory of ours, less what .dockerignore names. */
async function directoryClient(
  directory: string,
  { path, slot, dockerfile }: { path: string; slot: string; dockerfile: DockerfileSource | undefined },
): Promise<BuildClient> {
  const source = dockerfile ?? (await readDockerfile(directoryFiles(directory), path));
  await removeIgnored(directory, path);
  return filesClient(directoryFiles(directory, { rootOwned: true }), path, slot, source);
}

/** A client with nothing but files. */
async function filesClient(
  files: FileSource,
  path: string,
  slot: string,
  known?: DockerfileSource,
): Promise<BuildClient> {
  const source = known ?? (await readDockerfile(files, path));
  return {
    slot,
    dockerfile: () => Promise.resolve(source),
    files: (name) => {
      if (name === 'context') return Promise.resolve(files);
      throw new BerthError('not-found', `no build context named ${name} was given`);
    },
    secret: () => Promise.resolve(null),
    sshAgent: () => Promise.resolve(null),
  };
}

async function readDockerfile(files: FileSource, path: string): Promise<DockerfileSource> {
  if (posix.normalize(path).startsWith('../'))
    throw new BerthError('internal', `forbidden path outside the build context: ${path} ()`);
  const clean = posix.normalize(`/${path}`);
  // Nobody asked for another name: small letters will do.
  for (const name of clean === '/Dockerfile' ? [clean, '/dockerfile'] : [clean]) {
    const text = await smallFile(files, name);
    if (text !== null) return { name: posix.basename(name), text };
  }
  throw new BerthError('internal', `Cannot locate specified Dockerfile: ${path}`);
}

/** Takes what .dockerignore names out of a context. */
async function removeIgnored(directory: string, dockerfile: string): Promise<void> {
  const files = directoryFiles(directory);
  const text = (await smallFile(files, `/${dockerfile}.dockerignore`)) ?? (await smallFile(files, '/.dockerignore'));
  if (text === null) return;
  const rules = new IgnoreRules(parseIgnoreFile(text).map(toPath));
  if (!rules.isEmpty) await removeBelow(directoryFiles(directory), '/', rules);
}

/** True when nothing of the directory was left. */
async function removeBelow(files: FileSource, directory: string, rules: IgnoreRules): Promise<boolean> {
  let left = 0;
  for (const name of await files.names(directory)) {
    const path = `${directory === '/' ? '' : directory}/${name}`;
    const isDirectory = (await files.entry(path))?.type === 'directory';
    const ignored = rules.ignores(path.slice(1));
    if (ignored && (!isDirectory || rules.isFinal)) await rm(await files.place(path), { recursive: true, force: true });
    else if (!isDirectory) left++;
    else if ((await removeBelow(files, path, rules)) && ignored) await rm(await files.place(path), { recursive: true });
    else left++;
  }
  return left === 0;
}
