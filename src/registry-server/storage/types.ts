/**
 * Where a registry keeps its things, in two parts: bytes (`BlobStorage`) and facts about them (`RegistryIndex`). Today a directory and
 * SQLite; an object store and PostgreSQL would be two more classes. test/contract/registry/storage.test.ts is what each of them must pass.
 */
import type { LentBody, LentConnection } from '../http.ts';

/** A client that sends less than this in a window of this long is cut off; it may go on later where it stopped. */
export const slowestUpload = { bytes: 1024, milliseconds: 30_000 };

/** Bytes of a body from which on it is worth to take `BlobStorage.direct`. */
export const worthLending = 64 * 1024;

/** Bytes by digest, and uploads on their way. Knows no repositories. */
export interface BlobStorage {
  /** Where bytes can go between a connection and the storage past the event loop; null: they cannot. */
  readonly direct: DirectBlobs | null;
  /** Opens an upload; gives its id. */
  begin(): Promise<string>;
  /** Bytes that the upload has; null: no such upload. */
  uploaded(id: string): Promise<number | null>;
  /**
   * Adds bytes. Gives the upload's new size. What arrived before a failure stays, so that the client can go on from there.
   * Errors: `BLOB_UPLOAD_UNKNOWN`; whatever the source or the disk throws.
   * @param onWritten told the size that can be read back, as it grows
   */
  append(id: string, source: AsyncIterable<Uint8Array>, onWritten?: (size: number) => void): Promise<number>;
  /** Opens an upload for readers that follow it as it grows; good beyond its end. */
  openGrowing(id: string): Promise<GrowingUpload>;
  /**
   * Makes the upload a blob: complete, durable, there at once. Gives its size. Errors: `DIGEST_INVALID` where the bytes are others (the
   * upload is gone then), `BLOB_UPLOAD_UNKNOWN`.
   */
  finish(id: string, digest: string): Promise<number>;
  /** Forgets an upload, also one that is not there. */
  cancel(id: string): Promise<void>;
  /** Uploads nobody has touched since `before` (milliseconds since 1970). */
  idleUploads(before: number): Promise<string[]>;
  /** Bytes `start` to `end` (inclusive), in pieces; each is good until the next one is asked for. Error: whatever the disk throws. */
  read(digest: string, range: { start: number; end: number }): AsyncIterable<Uint8Array>;
  /** Bytes, or null where the blob is not there. */
  size(digest: string): Promise<number | null>;
  /** Also of a blob that is not there. */
  remove(digest: string): Promise<void>;
  /** Every blob that is there, in no order. */
  all(): AsyncIterable<string>;
}

/** Bytes between a connection and the storage, for those who have a storage that the kernel reads and writes by itself. */
export interface DirectBlobs {
  /** To be asked before a connection is lent: now and then there may be nobody who could take it. */
  readonly isAvailable: boolean;
  /** As `append`; gives the connection back. Errors besides, by `code`: `SLOW` for a body that comes too slowly, `MALFORMED` for wrong chunks. */
  append(id: string, body: LentBody): Promise<number>;
  /** As `read`. Error: also the client's leaving. */
  send(digest: string, range: { start: number; end: number }, to: LentConnection): Promise<void>;
}

/** An upload that is read while it is written. It closes when it is released and the last one that held it has left. */
export interface GrowingUpload {
  /** For as long as somebody reads. Gives the function that leaves; null: it is closed already. */
  hold(): (() => void) | null;
  /** Some bytes from `start` on, none of `end` or behind it; those must be there already. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Whoever opened it needs it no more. */
  release(): void;
}

export interface StoredManifest {
  digest: string;
  mediaType: string;
  bytes: Uint8Array;
}

/** What a manifest says about itself, read once when it is stored. */
export interface ManifestFacts {
  /** Digests of blobs that must be in the repository. */
  blobs: readonly string[];
  /** Digests of manifests that must be in the repository. */
  manifests: readonly string[];
  subject: string | null;
  /** For the list of referrers. */
  artifactType: string;
  annotations: Readonly<Record<string, string>> | null;
}

/** One entry of a referrers list (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers). */
export interface Referrer {
  mediaType: string;
  digest: string;
  size: number;
  artifactType: string;
  annotations: Readonly<Record<string, string>> | null;
}

export interface ReferrersPage {
  subject: string;
  /** Empty: of any type. */
  artifactType: string;
  last: string;
  mostBytes: number;
}

/** A page of names: those behind `last` in byte order, at most `limit`. */
export interface Page {
  last: string;
  limit: number;
}

export interface RepositorySummary {
  name: string;
  description: string;
  stars: number;
  pulls: number;
  /** When something was last pushed, milliseconds since 1970; 0: nobody noted it. */
  pushed: number;
}

/** What comes first: the name itself and then what has most stars; or stars, pulls, the newest alone. */
export type SearchOrder = 'match' | 'stars' | 'pulls' | 'pushed';

/** What a caller may see: everything, or what the function allows. */
export type Visibility = ((repository: string) => boolean) | null;

/** Facts about repositories. Every change is durable when it resolves. */
export interface RegistryIndex {
  /** Notes the start of an upload. */
  openUpload(id: string, repository: string): Promise<void>;
  /** The repository an upload belongs to, or null. */
  uploadRepository(id: string): Promise<string | null>;
  closeUpload(id: string): Promise<void>;
  /** Uploads that began before `before` and were not closed. */
  openUploads(before: number): Promise<string[]>;
  /** The blob belongs to the repository from now on. */
  linkBlob(repository: string, digest: string, size: number): Promise<void>;
  /** Size of a blob that the repository has, or null. Whoever asks may be about to use it: that puts its collection off. */
  blob(repository: string, digest: string): Promise<number | null>;
  /** Any repository with this blob that `visible` lets through, or null. */
  findBlob(digest: string, visible: Visibility): Promise<string | null>;
  /** False where the repository does not have it. */
  unlinkBlob(repository: string, digest: string): Promise<boolean>;
  /**
   * Stores a manifest and points `tag` at it. Error: `MANIFEST_BLOB_UNKNOWN` naming what is missing, unless that is allowed.
   * `by`: who pushes it, where that is known.
   */
  putManifest(
    repository: string,
    manifest: StoredManifest,
    options: { tag: string | null; facts: ManifestFacts; mayBeSparse: boolean; by?: string | null },
  ): Promise<void>;
  manifest(repository: string, tagOrDigest: string): Promise<StoredManifest | null>;
  /** Takes the manifest and every tag that points at it away. False where it is not there. */
  deleteManifest(repository: string, digest: string): Promise<boolean>;
  deleteTag(repository: string, tag: string): Promise<boolean>;
  /** Takes everything of the repository away but its blobs, which the collector takes. False where it is not there. */
  deleteRepository(repository: string): Promise<boolean>;
  /** The tag came from an upstream, and follows it. */
  isMirrored(repository: string, tag: string): Promise<boolean>;
  markMirrored(repository: string, tag: string): Promise<void>;
  /** Null where there is no such repository. */
  tags(repository: string, page: Page): Promise<string[] | null>;
  repositories(page: Page, visible: Visibility): Promise<string[]>;
  /** In the order of their digests, behind `last`: as many as `mostBytes` of annotations and names are, or one. */
  referrers(repository: string, of: ReferrersPage): Promise<{ referrers: Referrer[]; hasMore: boolean }>;
  search(
    term: string,
    page: Slice & { order?: SearchOrder },
    visible: Visibility,
  ): Promise<{ count: number; results: RepositorySummary[] }>;
  /** Null where there is no such repository. */
  summary(repository: string): Promise<RepositorySummary | null>;
  describe(repository: string, description: string): Promise<boolean>;
  /** The long description; empty where there is none. */
  readme(repository: string): Promise<string>;
  setReadme(repository: string, text: string): Promise<boolean>;
  star(repository: string, user: string, starred: boolean): Promise<boolean>;
  countPull(repository: string): void;
  /** Takes the links away that no manifest needs and nobody has touched since `before`. Gives the digests they led to. */
  collectLinks(before: number): Promise<string[]>;
  /** No repository has the blob. */
  isUnused(digest: string): Promise<boolean>;
}

/** A part of a list, by number. */
export interface Slice {
  offset: number;
  limit: number;
}

export interface ShownTag {
  name: string;
  digest: string;
  /** Milliseconds since 1970; 0: nobody noted it. */
  pushed: number;
  /** Null: nobody in particular, or nobody noted it. */
  pushedBy: string | null;
  /** It came from an upstream, 1 or 0; then `pushed` is when. */
  isMirrored: number;
}

/** What people look at: the facts of the index in the order in which pages show them. Changes nothing. */
export interface Showcase {
  newest(limit: number, visible: Visibility): RepositorySummary[];
  /** Those with a star at all. */
  mostStarred(limit: number, visible: Visibility): RepositorySummary[];
  /** The newest first. Whoever may see one of a namespace may see all. */
  ofNamespace(namespace: string, slice: Slice): { count: number; results: RepositorySummary[] };
  /** Something has this name already: repositories, members, or a decision about who may pull. */
  isTaken(namespace: string): boolean;
  members(namespace: string): { user: string; role: string }[];
  /** Repositories by namespace. */
  repositoryCounts(): Map<string, number>;
  /** The newest first. @param term that is in their names */
  tags(repository: string, term: string, slice: Slice): { count: number; results: ShownTag[] };
  tag(repository: string, name: string): ShownTag | null;
  /** Names of the manifest, at most so many. */
  tagsOf(repository: string, digest: string, most: number): string[];
  /** Some other manifest of the repository names it. */
  isPart(repository: string, digest: string): boolean;
  /** Read past what the index keeps in memory for pulls. Null also for one of more than `longest` bytes. */
  manifest(repository: string, digest: string, longest: number): StoredManifest | null;
  isStarred(repository: string, user: string): boolean;
}
