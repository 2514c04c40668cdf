/** What clients ask about a registry without pulling from it. */
import type { AuthConfig, DistributionInspect, Platform as WirePlatform } from '../../api/types/image.ts';
import type { AuthResponse } from '../../api/types/system.ts';
import { credentialsOf } from '../../distribution/credentials.ts';
import { login } from '../../distribution/login.ts';
import type { Registries } from '../../distribution/registries.ts';
import { registryFailure } from '../../distribution/registry-errors.ts';
import { RepositorySources } from '../../distribution/sources.ts';
import { configPlatform, longestConfig, parseImageConfig } from '../../oci/image-config.ts';
import { type ImageManifest, parseManifest } from '../../oci/manifest.ts';
import { parseReference, withDefaultTag } from '../../oci/reference.ts';

export class RegistryQueries {
  readonly #registries: Registries;

  constructor(registries: Registries) {
    this.#registries = registries;
  }

  /** `GET /distribution/{name}/json`. Errors: `invalid` for the name, else as the registry answers, with dockerd's status. */
  async distribution(name: string, auth: AuthConfig | null): Promise<DistributionInspect> {
    const reference = withDefaultTag(parseReference(name));
    const sources = new RepositorySources(reference, {
      registries: this.#registries,
      credentials: credentialsOf(auth),
    });
    try {
      const document = await sources.manifest(reference.digest ?? (reference.tag as string));
      const parsed = parseManifest(document.bytes, document.mediaType);
      const mediaType = parsed.kind === 'index' ? parsed.index.mediaType : parsed.manifest.mediaType;
      return {
        Descriptor: { mediaType, digest: document.digest, size: document.bytes.length },
        Platforms:
          parsed.kind === 'index'
            ? parsed.index.manifests.flatMap((entry) => (entry.platform ? [entry.platform] : []))
            : await this.#ownPlatform(parsed.manifest, sources),
      };
    } catch (error) {
      throw registryFailure(error);
    }
  }

  /** `POST /auth`. */
  async authenticate(auth: AuthConfig): Promise<AuthResponse> {
    const { identityToken } = await login(auth, this.#registries);
    return { Status: 'Login Succeeded', IdentityToken: identityToken };
  }

  async #ownPlatform(manifest: ImageManifest, sources: RepositorySources): Promise<WirePlatform[]> {
    const { digest, size } = manifest.config;
    if (size > longestConfig || manifest.layers.length === 0) return [];
    const bytes = await sources.use((repository) => repository.document(digest, { limit: longestConfig }));
    return [configPlatform(parseImageConfig(bytes))];
  }
}
