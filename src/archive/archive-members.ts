/**
 * The members of an image archive as they pass by. Nobody knows yet which of them an image needs, so every member that looks like
 * a tar, packed or not, is unpacked as a layer while the stream goes on, and every small one is kept in memory as a document.
 */
import { createHash, randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { longestConfig } from '../oci/image-config.ts';
import { packedAs } from './compression.ts';
import { LayerUnpacker, type UnpackedLayer } from './layer-unpacker.ts';
import { type ByteReader, looksLikeTar, type TarMember } from './tar-stream.ts';

/** All documents of one archive together. */
const documentBudget = 128 * 1024 * 1024;

export interface ArchiveDocument {
  digest: string;
  bytes: Buffer;
}

/** A layer of the archive: unpacked now, or known to the store already. */
export type ArchiveLayer = (UnpackedLayer & { known: false }) | KnownLayer;

export interface KnownLayer {
  known: true;
  diffId: string;
  digest: string;
  length: number;
}

export interface ArchiveMembersOptions {
  helper: string;
  /** Layers go to `<directory>/<random>`. */
  directory: string;
  /** Digest of a blob (packed or plain) → diff id, for the layers that the store has. */
  known: ReadonlyMap<string, string>;
  onProgress: (path: string, current: number, total: number) => void;
}

const progressStep = 1024 * 1024;

export class ArchiveMembers {
  readonly #options: ArchiveMembersOptions;
  readonly #documents = new Map<string, ArchiveDocument>();
  readonly #layers = new Map<string, Promise<ArchiveLayer>>();
  readonly #links = new Map<string, string>();
  #documentBytes = 0;

  constructor(options: ArchiveMembersOptions) {
    this.#options = options;
  }

  /** Takes in one member; gives the number of bytes read. */
  async add(member: TarMember, reader: ByteReader): Promise<number> {
    if (member.type === 'symlink') this.#links.set(member.path, posix.join(posix.dirname(member.path), member.link));
    if (member.type === 'link') this.#links.set(member.path, posix.normalize(member.link).replace(/^(\.?\/)+/, ''));
    if (member.type !== 'file') return 0;
    const start = Buffer.from(await reader.upTo(Math.min(512, member.size)));
    if (packedAs(start) !== 'none' || looksLikeTar(start)) {
      await this.#addLayer(member, start, reader);
      return member.size;
    }
    if (member.size > longestConfig) return start.length;
    this.#documentBytes += member.size;
    if (this.#documentBytes > documentBudget) throw new BerthError('too-large', 'the archive holds too many documents');
    const bytes = Buffer.concat([start, await reader.exactly(member.size - start.length)]);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    checkName(member.path, digest);
    this.#documents.set(member.path, { digest, bytes });
    return member.size;
  }

  /** The document at this path, through links. */
  document(path: string): ArchiveDocument | undefined {
    return this.#documents.get(this.#resolve(path));
  }

  /** The layer at this path, through links; rejects where it could not be unpacked. */
  layer(path: string): Promise<ArchiveLayer> | undefined {
    return this.#layers.get(this.#resolve(path));
  }

  get paths(): Iterable<string> {
    return this.#documents.keys();
  }

  #resolve(path: string): string {
    let at = posix.normalize(path).replace(/^(\.?\/)+/, '');
    for (let hops = 0; hops < 16; hops++) {
      const target = this.#links.get(at);
      if (target === undefined) return at;
      at = target;
    }
    throw new BerthError('invalid', `too many links: ${path}`);
  }

  async #addLayer(member: TarMember, start: Buffer, reader: ByteReader): Promise<void> {
    const digest = blobDigest(member.path);
    const diffId = digest === null ? undefined : this.#options.known.get(digest);
    const sink = diffId === undefined ? this.#unpack() : new Hashing(diffId);
    let done = start.length;
    let told = 0;
    await sink.write(start);
    while (done < member.size) {
      const chunk = await reader.some(member.size - done);
      if (chunk.length === 0) throw new BerthError('invalid', 'unexpected EOF');
      await sink.write(chunk);
      done += chunk.length;
      if (done - told < progressStep && done < member.size) continue;
      told = done;
      if (diffId === undefined) this.#options.onProgress(member.path, done, member.size);
    }
    // The next member may pass by while the last files of this one are written.
    const layer = sink.finish().then((result) => {
      checkName(member.path, result.digest);
      return result;
    });
    layer.catch(() => undefined); // only a layer that an image names must be good
    this.#layers.set(member.path, layer);
  }

  #unpack(): { write(chunk: Buffer): Promise<void>; finish(): Promise<ArchiveLayer> } {
    const directory = `${this.#options.directory}/${randomBytes(8).toString('hex')}`;
    const unpacker = new LayerUnpacker({ helper: this.#options.helper, directory, keepBlob: true });
    return {
      write: (chunk) => unpacker.write(chunk),
      finish: async () => ({ ...(await unpacker.finish()), known: false }),
    };
  }
}

/** Hashes a layer that needs no unpacking. */
class Hashing {
  readonly #hash = createHash('sha256');
  readonly #diffId: string;
  #length = 0;

  constructor(diffId: string) {
    this.#diffId = diffId;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    this.#length += chunk.length;
  }

  async finish(): Promise<KnownLayer> {
    const digest = `sha256:${this.#hash.digest('hex')}`;
    return { known: true, diffId: this.#diffId, digest, length: this.#length };
  }
}

/** The digest that a path of an OCI layout promises. */
function blobDigest(path: string): string | null {
  const match = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path);
  return match ? `sha256:${match[1]}` : null;
}

function checkName(path: string, digest: string): void {
  const promised = blobDigest(path);
  if (promised !== null && promised !== digest)
    throw new BerthError('invalid', `blob ${promised} of the archive has the digest ${digest}`);
}
