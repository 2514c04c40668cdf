/** What every handler works with. */
import type { Guard } from './access/guard.ts';
import type { RegistryRequest, RegistryResponse } from './http.ts';
import type { Content } from './storage/content.ts';
import type { StoredManifest } from './storage/types.ts';

export interface RegistryContext {
  content: Content;
  guard: Guard;
  /** Where what is not here comes from; null: nowhere. */
  mirror: MirrorSource | null;
  /** False: nothing can be deleted. */
  mayDelete: boolean;
  /** Manifests are taken before what they name is here. */
  mayBeSparse: boolean;
}

/** A pull-through cache, as the handlers of pulls see it. */
export interface MirrorSource {
  /** Where here the repository is kept. */
  localName(repository: string, upstream: string | null): string;
  /**
   * Brings the manifest here, or sees that the one here is still right. Does nothing where no upstream has it. Gives a manifest that cannot be
   * kept for want of room; null: what is here counts.
   */
  refreshManifest(repository: string, tagOrDigest: string, upstream: string | null): Promise<StoredManifest | null>;
  /** The blob while it is being fetched; null: no upstream has it. */
  fetchBlob(repository: string, digest: string, upstream: string | null): Promise<FetchedBlob | null>;
  /** Bytes of a blob that nobody wants to have yet; null: no upstream has it. */
  blobSize(repository: string, digest: string, upstream: string | null): Promise<number | null>;
}

export interface FetchedBlob {
  size: number;
  /** Bytes `start` to `end` (inclusive), as they come. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** One request on its way through the handlers. */
export interface Call {
  context: RegistryContext;
  request: RegistryRequest;
  response: RegistryResponse;
  query: URLSearchParams;
  /** Empty on the routes that name none. */
  repository: string;
  /** The tag, digest or upload that the path names. */
  reference: string;
}

export type RegistryHandler = (call: Call) => Promise<void> | void;

const json = { 'Content-Type': 'application/json; charset=utf-8' };

export function sendJson(call: Call, value: unknown, headers: Record<string, string> = {}): void {
  call.response.send(200, { ...json, ...headers }, `${JSON.stringify(value)}\n`);
}
