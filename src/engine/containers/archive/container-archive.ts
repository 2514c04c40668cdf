import { randomBytes } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { BerthError } from '../../../api/errors.ts';
import type { ContainerPathStat } from '../../../api/types/container.ts';
import { feedUnpacked } from '../../../archive/feed-unpacked.ts';
import type { Container } from '../container.ts';
import type { ContainerContext } from '../context.ts';
import { resolveUser } from '../spec/users.ts';
import { FilesProcess, filesExit } from './files-process.ts';
import { parsePathStat } from './path-stat.ts';
import { type RootRequest, rootArguments } from './root-arguments.ts';
import { Upload } from './upload.ts';

/** Files of containers. The work is a child's, whose root is the container's; bytes only pass through here. */
export class ContainerArchive {
  readonly #context: ContainerContext;
  readonly #helper: string;

  /** @param helper path of the native helper program */
  constructor(context: ContainerContext, helper: string) {
    this.#context = context;
    this.#helper = helper;
  }

  /** Errors: `not-found` `Could not find the file x in container y`. */
  async stat(reference: string, path: string): Promise<ContainerPathStat> {
    const container = this.#context.index.find(reference);
    const { stat, rest } = await this.#begin(container, reference, ['stat', path]);
    rest.destroy();
    return stat;
  }

  /** The object at `path` as a tar. What fails later breaks the stream off. */
  async read(reference: string, path: string): Promise<{ stat: ContainerPathStat; content: Readable }> {
    const container = this.#context.index.find(reference);
    const { stat, rest } = await this.#begin(container, reference, ['read', path]);
    this.#context.publish(container, 'archive-path');
    return { stat, content: rest };
  }

  /** Unpacks a tar, packed or not, below the directory `path`. */
  async write(
    reference: string,
    path: string,
    content: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean },
  ): Promise<void> {
    const container = this.#context.index.find(reference);
    const flags = options.noOverwriteDirNonDir ? ['--no-overwrite'] : [];
    if (options.copyUidGid) flags.push(...(await this.#owner(container)));
    if (container.record.hostConfig.ReadonlyRootfs) flags.push('--read-only-root');
    const begin = (): Promise<FilesProcess> => {
      container.hasOwnFiles = true;
      return this.#work({ container, access: 'write', flags }, ['write', absolute(path)]);
    };
    const { process, upload } = await this.#beginUpload(container, begin);
    process.output.resume();
    feedUnpacked(content, process);
    if (upload) content.on('data', upload.progressed);
    const code = await process.ended;
    if (code !== 0) throw this.#isGone(container, reference) ?? process.error(code, { reference, path });
    this.#context.publish(container, 'extract-to-dir');
  }

  /** The root, without what is mounted on it, as a tar. */
  async export(reference: string): Promise<Readable> {
    const container = this.#context.index.find(reference);
    const process = await this.#work({ container, access: 'read' }, ['export']);
    process.input.end();
    const content = process.output.pipe(new PassThrough({ highWaterMark: 1 << 20 }), { end: false });
    this.#finish(process, content, { reference, path: '/' });
    this.#context.publish(container, 'export');
    return content;
  }

  /** Begins to write; into a container that does not run one at a time, and known to those who would start or remove it. */
  async #beginUpload(
    container: Container,
    begin: () => Promise<FilesProcess>,
  ): Promise<{ process: FilesProcess; upload: Upload | null }> {
    if (container.pid !== 0) return { process: await begin(), upload: null };
    return this.#context.mutex.run(container.id, async () => {
      await container.upload?.finish();
      if (container.state === 'removing' || container.state === 'dead')
        throw new BerthError('conflict', `removal of container ${container.id} is already in progress`);
      const process = await begin();
      if (container.pid !== 0) return { process, upload: null };
      const upload = new Upload(process);
      container.upload = upload;
      void upload.ended.then(() => {
        if (container.upload === upload) container.upload = null;
      });
      return { process, upload };
    });
  }

  /** Starts a child on the container's root; its volumes are held until it ends. */
  async #work(root: Omit<RootRequest, 'holder'> & { flags?: string[] }, words: string[]): Promise<FilesProcess> {
    const { container, flags = [] } = root;
    const { volumes, report } = this.#context.dependencies;
    const holder = `files ${randomBytes(8).toString('hex')}`;
    const release = (): void => {
      volumes.letGo(holder).catch((error: unknown) => report(`volumes of ${container.id}`, error));
    };
    try {
      if (container.pid === 0 && container.cleaning) await container.cleaning;
      const place = await rootArguments(this.#context, { ...root, holder });
      const process = new FilesProcess(this.#helper, [...flags, ...place, ...words]);
      void process.ended.then(release);
      return process;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Starts `stat` or `read` and waits for what it says first. */
  async #begin(
    container: Container,
    reference: string,
    [operation, path]: [string, string],
  ): Promise<{ stat: ContainerPathStat; rest: Readable }> {
    for (;;) {
      const { pid } = container;
      const process = await this.#work({ container, access: 'read' }, [operation, absolute(path)]);
      process.input.end();
      const rest = new PassThrough({ highWaterMark: 1 << 20 });
      const stat = await readStat(process.output, rest, absolute(path));
      if (stat) {
        this.#finish(process, rest, { reference, path });
        return { stat, rest };
      }
      const code = await process.ended;
      if (code !== filesExit.processGone || pid === 0)
        throw this.#isGone(container, reference) ?? process.error(code, { reference, path });
      // It has just ended, and the engine is about to hear of it.
      if (container.pid === pid) await container.nextExit();
    }
  }

  /** What is said of a container that was removed while its files were at work. */
  #isGone(container: Container, reference: string): BerthError | null {
    if (this.#context.index.byId(container.id) === container && container.state !== 'removing') return null;
    return new BerthError('not-found', `No such container: ${reference}`);
  }

  /** Ties a child and the stream of its output together: the end of one is the end of the other. */
  #finish(process: FilesProcess, content: Readable, subject: { reference: string; path: string }): void {
    content.once('close', () => process.kill());
    void process.ended.then((code) => {
      if (code === 0) (content as PassThrough).end();
      else if (!content.destroyed) content.destroy(process.error(code, subject));
    });
    // Whoever reads it hears of it too; a client that left is no failure.
    content.on('error', (error) => {
      if (error.name !== 'AbortError') this.#context.dependencies.report(`files of ${subject.reference}`, error);
    });
  }

  /** Who the container runs as, as far as its configuration says. */
  async #owner(container: Container): Promise<string[]> {
    const { User } = container.record.config;
    if (User === '') return [];
    const files = await this.#context.users.read(container, await this.#context.lowerLayers(container));
    const { uid, gid } = resolveUser(User, [], files);
    return ['--owner', `${uid}:${gid}`];
  }
}

/** A path as dockerd takes it: from the root, a slash or dot at its end kept. */
function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const clean = `/${parts.join('/')}`;
  if (parts.length === 0) return clean;
  if (/(?:^|\/)\.$/.test(path)) return `${clean}/.`;
  return path.endsWith('/') ? `${clean}/` : clean;
}

/** Takes the stat from the front of the output and pipes what follows on; null when the output ends before. */
function readStat(output: Readable, rest: PassThrough, path: string): Promise<ContainerPathStat | null> {
  const { promise, resolve } = Promise.withResolvers<ContainerPathStat | null>();
  let head = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const found = parsePathStat(head, path);
    if (!found) return;
    output.off('data', take);
    output.pause();
    if (head.length > found.length) rest.write(head.subarray(found.length));
    output.pipe(rest, { end: false });
    resolve(found.stat);
  };
  output.on('data', take);
  output.once('close', () => resolve(null));
  return promise;
}
