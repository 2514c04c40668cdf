/**
 * What the rest of Berth asks of the store. The store knows layers, images (by config digest), documents and references; it
 * knows nothing of registries, HTTP or Docker's JSON.
 *
 * A layer is kept once per diff id, whatever lies below it: overlay takes each layer's own difference, so the same difference
 * in two chains is one directory.
 */
import type { Readable } from 'node:stream';
import type { Growth } from '../base/growth.ts';
import type { ImageConfigDocument } from '../oci/image-config.ts';

/** Keeps what an operation in flight needs from the garbage collector; release it exactly once, in a `finally`. */
export interface Lease {
  /** Name below `tmp/`, also the lease's directory there; it goes with the release. */
  readonly id: string;
  /** `<data root>/tmp/<id>`, made with the lease: half-written files of the operation (downloads that resume go elsewhere). */
  readonly directory: string;
  /** Keeps layers (diff ids), images (ids) or documents and blobs (digests), existing or coming. */
  hold(...digests: string[]): void;
  /** Ends the protection and removes the directory. */
  release(): Promise<void>;
}

/** Where the bytes of a layer come from. Compression (none, gzip, zstd, bzip2, xz) is recognised by content. */
export type LayerSource =
  /** A complete file. With `keepBlob` it is moved into the store, so it must lie below the data root. */
  | { kind: 'file'; path: string }
  /** A file that is still being written; read as far as it has come. */
  | { kind: 'growing'; path: string; growth: Growth }
  /** Read once, with back-pressure. */
  | { kind: 'stream'; stream: Readable }
  /** A directory tree that becomes a new layer, owners, xattrs and overlay whiteouts included. */
  | { kind: 'tree'; path: string }
  /** A container's own layer, which may change while it is read; the root's own attributes are none of the layer's. */
  | { kind: 'upper'; path: string };

export interface IngestLayerOptions {
  source: LayerSource;
  lease: Lease;
  /** `sha256:…` of the bytes as they come (the blob in the manifest); checked. Null: not known. */
  digest: string | null;
  /** Bytes as they come; checked. Null: not known. */
  size: number | null;
  /** `sha256:…` of the uncompressed tar; checked. Null: not known. */
  diffId: string | null;
  /** Keep the bytes as they come too, where nobody else has them and they are compressed. */
  keepBlob?: boolean;
  /** Bytes as they come that were consumed so far. */
  onProgress?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** An unpacked layer. */
export interface StoredLayer {
  diffId: string;
  /** Bytes of its regular files, as Docker counts a layer. */
  size: number;
  /** Bytes of its uncompressed tar. */
  tarSize: number;
  /** The directory that overlay gets. */
  diff: string;
  /** Digest of the compressed bytes, where known; `blobKept` tells whether they are here. */
  blob: string | null;
  blobKept: boolean;
}

/** A layer that is being written in its place. */
export interface DraftLayer {
  number: number;
  /** `layers/<n>`, not made yet. */
  directory: string;
  /** Where its files go. */
  diff: string;
}

/** Bytes that are kept exactly as they came: a config, a manifest, an index. */
export interface Document {
  digest: string;
  mediaType: string;
  bytes: Uint8Array;
}

/**
 * What a name stands for where it leaves the engine: a manifest with annotations, or an index with the images of other platforms and
 * attestations. All that it leads to is kept byte for byte, as long as a name has it.
 */
export interface NewTarget {
  /** Of the manifest or index, which is among `documents`. */
  digest: string;
  documents: readonly Document[];
  /** Diff ids of the layers of all platforms; each has its packed bytes kept where a manifest names those. */
  layers: readonly string[];
}

export interface StoredTarget {
  digest: string;
  /** Id of the image that containers are made of. */
  image: string;
  /** Digests of all it consists of but layers. */
  documents: string[];
}

export interface CommitImageOptions {
  /** The image config, byte for byte; its digest is the image's id. Every layer it names must be stored already. */
  config: Uint8Array;
  /** Manifest and, for a multi-platform image, the index it came from. Kept byte for byte. */
  documents?: Document[];
  /** Digest of the manifest among `documents` that led to this image. */
  manifest?: string | null;
  /**
   * Canonical references that shall name the image, in one transaction with it: `docker.io/library/debian:12` (moves the tag) or
   * `docker.io/library/debian@sha256:…` (a repository digest).
   */
  references?: string[];
  /** What the references stand for outside of the engine, where that is more than the image. */
  target?: NewTarget | null;
  /** Id of the image this one was made from on this machine (commit, build). */
  parent?: string | null;
  lease: Lease;
}

export interface CommittedImage {
  /** `sha256:…` */
  id: string;
  /** False where the image was here before. */
  created: boolean;
  /** References that named another image until now, with that image's id. */
  moved: { reference: string; from: string }[];
}

/** A stored image. */
export interface StoredImage {
  id: string;
  config: ImageConfigDocument;
  configBytes: Uint8Array;
  manifest: string | null;
  parent: string | null;
  /** Sum of the layers' sizes. */
  size: number;
  /** Unix milliseconds; when it came here. */
  created: number;
  /** Unix milliseconds of the last tag; null: never tagged here. */
  lastTagged: number | null;
  /** Removed by the user while a container still uses it: only that container may find it. */
  hidden: boolean;
  /** Canonical references, tags and repository digests, sorted. */
  references: string[];
  /** Diff ids, the base first. */
  layers: string[];
}

/** The image store: `new ImageStore({ paths, database, helper })` in src/store/image-store.ts. */
export interface ImageStoreInterface {
  /** A lease for one operation; makes its directory. */
  lease(purpose: string): Promise<Lease>;

  /** The layer of this diff id, or null. Synchronous: one indexed query. */
  layer(diffId: string): StoredLayer | null;

  /** The layer whose compressed bytes have this digest, or null: a pull need not fetch it. */
  layerOfBlob(digest: string): StoredLayer | null;

  /**
   * Unpacks a layer (in a child, out of the engine's loop) and puts it in place; at once where it is here already. Two callers
   * with one diff id share the work. The lease holds the layer until an image does. Errors: `invalid` for a hostile or broken
   * archive and for a digest that does not match (code `digest-mismatch`), `unavailable` for a full disk, `cancelled`.
   */
  ingestLayer(options: IngestLayerOptions): Promise<StoredLayer>;

  /**
   * Makes an image appear, with its documents and references, when everything of it is on disk: syncs layers and blobs, then
   * commits one transaction and waits until that is durable.
   */
  commitImage(options: CommitImageOptions): Promise<CommittedImage>;

  /** The image with this full id, or null. */
  image(id: string): StoredImage | null;

  /** A config, manifest or index by digest, or null. */
  document(digest: string): Document | null;

  /** The image id that a canonical reference names, or null. */
  reference(canonical: string): string | null;

  /** What a canonical reference stands for outside of the engine; null: the image alone. */
  target(canonical: string): StoredTarget | null;

  /** Path of a kept compressed blob, or null. */
  blobFile(digest: string): string | null;

  /** A layer's uncompressed tar, bit by bit as its diff id says, made from recipe and tree in a child. */
  layerTar(diffId: string): Readable;
}
