/** Caches in folders of the client. */
import type { Descriptor } from '../../oci/manifest.ts';

/** OCI layouts (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md), by their numbers in `cacheFrom` and `cacheTo`. */
export interface ClientFolders {
  /** A blob, not checked. Error: `not-found`. */
  read(cache: number, digest: string): AsyncIterable<Uint8Array>;
  has(cache: number, digest: string): Promise<boolean>;
  /** The client checks the digest; resolves when the blob is in its place. */
  write(cache: number, digest: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  name(cache: number, manifest: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>): Promise<void>;
}
