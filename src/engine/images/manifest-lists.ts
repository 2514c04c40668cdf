/** Manifests and indexes at registries, without an image in between: what `manifest inspect` and `manifest push` ask for. */
import { BerthError } from '../../api/errors.ts';
import type { AuthConfig } from '../../api/types/image.ts';
import type { ManifestPush, ManifestPushed, RemoteManifest } from '../../api/types/manifest.ts';
import { credentialsOf } from '../../distribution/credentials.ts';
import type { Registries } from '../../distribution/registries.ts';
import { registryFailure } from '../../distribution/registry-errors.ts';
import type { RemoteDocument, Repository } from '../../distribution/repository.ts';
import { RepositorySources } from '../../distribution/sources.ts';
import { hasBlob, mountBlob, putManifest } from '../../distribution/upload.ts';
import { sha256 } from '../../oci/digest.ts';
import { configPlatform, longestConfig, parseImageConfig } from '../../oci/image-config.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { canonicalName, parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';

export class ManifestLists {
  readonly #registries: Registries;

  constructor(registries: Registries) {
    this.#registries = registries;
  }

  /** Errors: `invalid` for the name, else as the registry answers. */
  async inspect(name: string, auth: AuthConfig | null): Promise<RemoteManifest> {
    const reference = withDefaultTag(parseReference(name));
    const sources = this.#sources(reference, auth, 'pull');
    try {
      const document = await sources.manifest(reference.digest ?? (reference.tag as string));
      const { bytes, digest, mediaType } = document;
      const platform = await this.#platform(document, sources);
      return {
        Ref: `${canonicalName(reference)}@${digest}`,
        Descriptor: { mediaType, digest, size: bytes.length, ...(platform && { platform }) },
        Document: new TextDecoder().decode(bytes),
      };
    } catch (error) {
      throw registryFailure(error);
    }
  }

  /** Stores an index under a name. Errors: `invalid` for a source of another registry, else as the registry answers. */
  async push(name: string, list: ManifestPush, auth: AuthConfig | null): Promise<ManifestPushed> {
    const target = withDefaultTag(parseReference(name));
    const bytes = new TextEncoder().encode(list.Document);
    parseManifest(bytes, list.MediaType);
    const from = (list.Sources ?? []).map(parseReference);
    const stranger = from.find(({ domain }) => domain !== target.domain);
    if (stranger)
      throw new BerthError(
        'invalid',
        `cannot push: ${canonicalName(stranger)} is in another registry than ${canonicalName(target)}`,
      );
    try {
      await this.#sources(target, auth, 'pull,push').use(async (repository) => {
        await repository.ping();
        for (const source of from) await this.#takeOver(source, { repository, target, auth });
        await putManifest(repository, target.tag as string, { bytes, mediaType: list.MediaType });
      });
    } catch (error) {
      throw registryFailure(error);
    }
    return { Digest: sha256(bytes) };
  }

  /** Sees that the target has the manifest and all it names; the registry moves the bytes itself. */
  async #takeOver(
    source: Reference,
    { repository, target, auth }: { repository: Repository; target: Reference; auth: AuthConfig | null },
  ): Promise<void> {
    const digest = source.digest;
    if (!digest || source.path === target.path) return;
    const document = await this.#sources(source, auth, 'pull').manifest(digest);
    const parsed = parseManifest(document.bytes, document.mediaType);
    if (parsed.kind === 'index')
      throw new BerthError('invalid', `cannot push: ${canonicalName(source)}@${digest} is a list itself`);
    for (const { digest: blob } of [parsed.manifest.config, ...parsed.manifest.layers]) {
      if (await hasBlob(repository, blob)) continue;
      if (!(await mountBlob(repository, { digest: blob, from: source.path })))
        throw new BerthError('internal', `the registry does not take ${blob} over from ${source.path}`);
    }
    await putManifest(repository, digest, document);
  }

  #sources(reference: Reference, auth: AuthConfig | null, actions: 'pull' | 'pull,push'): RepositorySources {
    return new RepositorySources(reference, {
      registries: this.#registries,
      credentials: credentialsOf(auth),
      actions,
    });
  }

  async #platform(
    document: RemoteDocument,
    sources: RepositorySources,
  ): Promise<RemoteManifest['Descriptor']['platform'] | null> {
    const parsed = parseManifest(document.bytes, document.mediaType);
    if (parsed.kind === 'index') return null;
    const { config, layers } = parsed.manifest;
    if (config.size > longestConfig || layers.length === 0) return null;
    const bytes = await sources.use((repository) => repository.document(config.digest, { limit: longestConfig }));
    return configPlatform(parseImageConfig(bytes));
  }
}
