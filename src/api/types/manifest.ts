import type { Platform } from './image.ts';

/** `GET /berth/v1/manifests/{name}`: a manifest or an index as a registry has it. */
export interface RemoteManifest {
  /** Its canonical name with the digest. */
  Ref: string;
  Descriptor: { mediaType: string; digest: string; size: number; platform?: Platform };
  /** The document, byte for byte. */
  Document: string;
}

/** Body of `PUT /berth/v1/manifests/{name}`: an index, and where the registry has what it names. */
export interface ManifestPush {
  MediaType: string;
  /** The document, byte for byte. */
  Document: string;
  /** Canonical names with digests, of the same registry. What stands in another repository is taken over first. */
  Sources: string[] | null;
}

export interface ManifestPushed {
  Digest: string;
}
